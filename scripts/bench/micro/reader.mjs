// Where the reader's time goes, per record of six readings: SQLite, checking and walking blocks, rendering for a sink
// and for viewers. The blocks lie in the page cache, as they do for a sink that is caught up.
//
//   node scripts/bench/micro/reader.mjs [--commit 500] [--records 200000]       needs `npm run build`

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeTelemetry } from "@tidegate/proto";
import Database from "better-sqlite3";
import { step } from "../../../gateway/dist/command/command-machine.js";
import { SystemClock } from "../../../gateway/dist/core/clock.js";
import { SystemRandom } from "../../../gateway/dist/core/random.js";
import { BatchEntry, EntryKind, GatherBuffer } from "../../../gateway/dist/model/batch.js";
import { Engine } from "../../../gateway/dist/storage/engine.js";
import { openStores } from "../../../gateway/dist/storage/open-stores.js";
import { Reader } from "../../../gateway/dist/storage/reader.js";
import { RecordReader } from "../../../gateway/dist/storage/record-reader.js";
import { Renderer } from "../../../gateway/dist/telemetry/render.js";

const { values } = parseArgs({
  options: { commit: { type: "string", default: "500" }, records: { type: "string", default: "200000" } },
});
const PER_COMMIT = Math.max(1, Number(values.commit));
const RECORDS = Math.max(PER_COMMIT, Number(values.records));
const DEVICES = 100;
const SIGNALS = 6;
const SLICE_ROWS = 1_000;
const START_UNIX_MS = 1_700_000_000_000;

const dataDir = mkdtempSync(join(tmpdir(), "tidegate-reader-"));
const clock = new SystemClock();
try {
  fill();
  const path = join(dataDir, "spool.db");
  for (const round of ["warm-up", "measured"]) measure(path, round);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

function fill() {
  const random = new SystemRandom();
  const stores = openStores({ dataDir, clock, random, step, synchronous: "off" });
  const options = { quotaBytes: 2 ** 40, whenFull: "block", windowDigests: 64, keepsHistory: false, bootId: "reader" };
  const engine = new Engine(stores, { ...options, clock, random, step });
  engine.openSinks([{ name: "bench", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
  const devices = engine.hellos(Array.from({ length: DEVICES }, (_, i) => helloOf(`bench-${i}`)));
  const series = Array.from({ length: SIGNALS }, (_, i) => seriesOf(i + 1));
  const body = encodeTelemetry({ base: { kind: "uptime", uptimeMs: 1000 }, series, bootNonce: 0 });
  const entry = new BatchEntry();
  for (let from = 0; from < RECORDS; from += PER_COMMIT) {
    const gather = new GatherBuffer(2 ** 28);
    for (let n = from; n < from + PER_COMMIT; n++) {
      const seq = Math.floor(n / DEVICES) + 1;
      const { deviceKey, epoch } = devices[n % DEVICES];
      const at = { receivedUnixMs: START_UNIX_MS + n, baseUnixMs: START_UNIX_MS + n, accuracy: 1, flags: 0 };
      Object.assign(entry, { deviceKey, epoch, seq, gap: 0, announced: seq, kind: EntryKind.telemetry, ...at });
      gather.append(entry, body);
    }
    engine.commit(gather.take());
  }
  engine.close();
}

function helloOf(deviceId) {
  const numbers = { attempt: 1, bootNonce: 7, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, uptimeMs: 0 };
  const rest = { protocol: 1, maxRxBytes: 0, catalogHash: 0, firmware: "", model: "", sleepMs: 0, lastCommand: 0 };
  return {
    deviceId,
    ...numbers,
    ...rest,
    outboxFrames: 0,
    proof: new Uint8Array(0),
    closing: false,
    receivedUnixMs: START_UNIX_MS,
  };
}

function seriesOf(signal) {
  return { signal, dtMs: [], periodUs: 0, quality: 0, values: { kind: "floats", floats: [20 + signal / 10] } };
}

function measure(path, round) {
  const db = new Database(path, { readonly: true });
  const blocks = db.prepare(
    "SELECT last_id, first_id, crc, body FROM records WHERE last_id > ? ORDER BY last_id LIMIT 1",
  );
  const reader = new Reader(path, new Renderer("bench"), clock);
  const parts = {
    "SQLite alone": (after) => blocks.get(after)?.last_id ?? after,
    "read and checked": records(db),
    "rendered for a sink": (after) => reader.rendered(after, SLICE_ROWS).slice.scannedToId,
    "texts for viewers": (after) => reader.live(after, SLICE_ROWS).slice.scannedToId,
  };
  for (const [name, next] of Object.entries(parts)) report(`${round}: ${name}`, next);
  reader.close();
  db.close();
}

function records(db) {
  const reader = new RecordReader(db);
  return (after) => reader.read(after, SLICE_ROWS, []).scannedToId;
}

/** Walks everything, from slice to slice, and prints the CPU time of this thread per record. */
function report(name, next) {
  const before = process.cpuUsage();
  let after = 0;
  for (let to = next(after); to > after; to = next(after)) after = to;
  const { user, system } = process.cpuUsage(before);
  console.log(`${name.padEnd(30)} ${((user + system) / after).toFixed(2)} CPU µs a record`);
}
