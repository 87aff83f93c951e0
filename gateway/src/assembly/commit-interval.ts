/** How long telemetry is gathered before a commit, on this machine. */
import { autoCommitIntervalMs } from "../config/card.js";
import type { Config } from "../config/config.js";
import { systemBlockFacts } from "../config/machine.js";

/** In ms; what `auto` means is looked up. Above 0 the disk is one that wears, or is to be treated like one. */
export function commitIntervalOf({ gateway, storage }: Config): number {
  if (storage.commitIntervalMs !== "auto") return storage.commitIntervalMs;
  return autoCommitIntervalMs(gateway.dataDir, systemBlockFacts());
}
