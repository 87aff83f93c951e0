// A gateway's data folder with records that wait for a sink which is not there.

import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "./processes.mjs";

const FILLER = fileURLToPath(new URL("../peers/fill-backlog.mjs", import.meta.url));

/** How `process.kill(pid, "SIGKILL")` shows as an exit code here. */
const KILLED = 1;

/** Settings of a gateway that keeps all of it: its broker's port is nobody's. */
export const HOLDING = {
  sinks: [{ name: "bench", type: "mqtt", url: "mqtt://127.0.0.1:9", commands: false }],
  storage: { quota: "64GiB" },
  history: { enabled: false },
};

/**
 * A folder for `Gateway.start` whose store holds that many records, left as a killed gateway leaves it.
 * @param {import("./fleet.mjs").Fleet} fleet whose devices they are from
 */
export async function folderWithBacklog(bench, fleet, count) {
  const folder = bench.newFolder();
  const dataDir = join(folder, "data");
  cpSync(fleet.dataDir, dataDir, { recursive: true });
  const filler = new Program(process.execPath, [FILLER, dataDir, String(count), fleet.tokensFile]);
  if ((await filler.ended) !== KILLED || filler.words !== "") throw filler.failure("the backlog was not made");
  return folder;
}
