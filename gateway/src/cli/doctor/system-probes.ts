/** The probes of this machine, put together. Edge room `cli`. */
import type { CliContext } from "../context.js";
import { certificateFacts, siteRoot } from "./certificate-probes.js";
import { folderFacts, gatewayFileFacts, spaceFacts, storeFiles, tokenFacts } from "./folder-probes.js";
import { clockFacts, nodeFacts, scratchDatabase } from "./machine-probes.js";
import { portFacts, sinkFacts } from "./network-probes.js";
import type { Probes } from "./probes.js";
import { serialFacts, serialNames } from "./serial-probes.js";

/** Each probe looks when it is called and not before. */
export function systemProbes({ clock, isAlive }: CliContext): Probes {
  return {
    node: nodeFacts,
    clock: () => clockFacts(clock.unixMs()),
    scratchDatabase: () => scratchDatabase(clock.unixMs()),
    folder: folderFacts,
    space: spaceFacts,
    storeFiles,
    gatewayFile: (dataDir) => gatewayFileFacts(dataDir, isAlive),
    token: tokenFacts,
    siteRoot,
    certificates: certificateFacts,
    port: portFacts,
    sink: (config) => sinkFacts(config, clock),
    serial: serialFacts,
    serialNames,
  };
}
