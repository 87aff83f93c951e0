/**
 * `tidegate rehearse --commands`: gateway and device killed at every call around a command, on all ways, and what
 * became of the commands as a table.
 *
 *   victim gateway | device  ×  at the k-th fsync | write | send  ×  at most once | at least once
 */
import { join } from "node:path";
import type { Edition } from "../rehearse/actor-process.js";
import {
  type CommandDelivery,
  type CommandKillVerdict,
  rehearseCommandKills,
  type Victim,
} from "../rehearse/command-kills.js";
import { OPERATION_NAMES, type Operation } from "../rehearse/faultline.js";

export interface CommandRehearsal {
  readonly dir: string;
  readonly edition: Edition;
  /** Which k of each way. */
  readonly points: { readonly from: number; readonly to: number; readonly step: number };
  readonly say: (text: string) => void;
}

/** One way, and what came of it. */
export interface PlayedWay extends CommandKillVerdict {
  readonly victim: Victim;
  readonly operation: Operation;
  readonly delivery: CommandDelivery;
}

const VICTIMS: readonly Victim[] = ["gateway", "device"];
const DELIVERIES: readonly CommandDelivery[] = ["atMostOnce", "atLeastOnce"];

/** Every way, one after the other; minutes. Leaves no process behind. */
export async function playCommandWays(rehearsal: CommandRehearsal): Promise<readonly PlayedWay[]> {
  const { dir, edition, points, say } = rehearsal;
  const ways = VICTIMS.flatMap((victim) =>
    DELIVERIES.flatMap((delivery) => OPERATION_NAMES.map((operation) => ({ victim, operation, delivery }))),
  );
  const played: PlayedWay[] = [];
  for (const [i, way] of ways.entries()) {
    say(`${way.victim} killed at each ${way.operation}, ${way.delivery} (${i + 1} of ${ways.length})`);
    const place = { dir: join(dir, `way-${i + 1}`), edition, isPersistent: true };
    played.push({ ...way, ...(await rehearseCommandKills({ ...place, ...way, ...points })) });
  }
  return played;
}

/** Did every command do what its delivery promises? */
export function areKept(ways: readonly PlayedWay[]): boolean {
  return ways.every(({ faults }) => faults.length === 0);
}

/** The table as a person reads it. */
export function commandsText(ways: readonly PlayedWay[]): string {
  const head = ["killed", "at each", "delivery", "kills", "commands", "ran", "succeeded", "unknown", "expired"];
  const rows = ways.map((way) => [
    ...[way.victim, way.operation, way.delivery],
    ...[way.kills, way.asked, way.ran, way.succeeded, way.unknown, way.expired].map(String),
  ]);
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  ")}`;
  const faults = ways.flatMap((way) => way.faults.map((fault) => `  ! ${way.delivery}: ${fault}`));
  const end = areKept(ways)
    ? "kept: at most once ran once or never, at least once ran in its time, and each has an end"
    : "BROKEN";
  return `${[line(head), ...rows.map(line), ...faults, `  ${end}`].join("\n")}\n`;
}
