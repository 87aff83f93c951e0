// Puts a backlog into a data folder through the storage engine itself, faster than devices could send it, and dies as a
// power cut would have it: nothing is closed.
//
//   fill-backlog.mjs DATA_DIR RECORDS TOKENS_FILE        needs `npm run build`
//
// Records are telemetry of one float reading, in turns from the devices of TOKENS_FILE. One sink, `bench`, has taken
// none of them.

import { readFileSync } from "node:fs";
import { encodeTelemetry } from "@tidegate/proto";
import { step } from "../../../gateway/dist/command/command-machine.js";
import { SystemClock } from "../../../gateway/dist/core/clock.js";
import { SystemRandom } from "../../../gateway/dist/core/random.js";
import { BatchEntry, EntryKind, GatherBuffer } from "../../../gateway/dist/model/batch.js";
import { Engine } from "../../../gateway/dist/storage/engine.js";
import { openStores } from "../../../gateway/dist/storage/open-stores.js";

const BATCH_RECORDS = 10_000;
const BATCH_BYTES_MAX = 16 * 1024 * 1024;
/** Records of a backlog are this far apart. */
const STEP_MS = 10;

const [dataDir, wanted, tokensFile] = process.argv.slice(2);
const count = Number(wanted);
const clock = new SystemClock();
const random = new SystemRandom();
// Writing it is not what is measured.
const stores = openStores({ dataDir, clock, random, step, synchronous: "off" });
const options = { quotaBytes: 64 * 2 ** 30, whenFull: "block", windowDigests: 64, keepsHistory: false, bootId: "fill" };
const engine = new Engine(stores, { ...options, clock, random, step });
engine.openSinks([{ name: "bench", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
const ids = readFileSync(tokensFile, "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(" ")[0]);
const devices = engine.hellos(ids.map(helloOf));
const seqs = new Uint32Array(devices.length);
const reading = { signal: 1, dtMs: [], periodUs: 0, quality: 0, values: { kind: "floats", floats: [21.5] } };
const body = encodeTelemetry({ base: { kind: "uptime", uptimeMs: 1000 }, series: [reading], bootNonce: 0 });
const entry = new BatchEntry();
let made = 0;
while (made < count) {
  const outcome = engine.commit(batchOf(Math.min(BATCH_RECORDS, count - made)));
  if (!outcome.ok) throw new Error(`the store refused: ${outcome.reason}`);
  made += outcome.storedCount;
}
process.kill(process.pid, "SIGKILL");

function batchOf(size) {
  const gather = new GatherBuffer(BATCH_BYTES_MAX, 1024 * 1024);
  const newestUnixMs = clock.unixMs();
  for (let i = 0; i < size; i++) {
    const at = (made + i) % devices.length;
    seqs[at] += 1;
    entry.deviceKey = devices[at].deviceKey;
    entry.epoch = devices[at].epoch;
    entry.seq = entry.announced = seqs[at];
    entry.kind = EntryKind.telemetry;
    entry.receivedUnixMs = entry.baseUnixMs = newestUnixMs - (count - made - i) * STEP_MS;
    gather.append(entry, body);
  }
  return gather.take();
}

function helloOf(deviceId) {
  const numbers = { bootNonce: 1, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, lastCommand: 0, catalogHash: 0 };
  return { deviceId, ...numbers, closing: false, firmware: "", model: "", sleepMs: 0, receivedUnixMs: clock.unixMs() };
}
