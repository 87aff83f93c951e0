// What the store's operations cost as it grows: opening, a commit with its fsync, reading a slice for a sink, deleting
// what was taken, and questions for gaps. One store is filled to each size in turn. Every hundredth record, which is
// the first device's, has a gap in front of it; the last device has one gap in all.
//
//   node scripts/bench/micro/growth.mjs [--sizes 10000,1000000,10000000] [--dir FOLDER]       needs `npm run build`

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { encodeTelemetry } from "@tidegate/proto";
import { step } from "../../../gateway/dist/command/command-machine.js";
import { SystemClock } from "../../../gateway/dist/core/clock.js";
import { SystemRandom } from "../../../gateway/dist/core/random.js";
import { BatchEntry, EntryKind, GatherBuffer } from "../../../gateway/dist/model/batch.js";
import { Engine } from "../../../gateway/dist/storage/engine.js";
import { openStores, SPOOL_FILE } from "../../../gateway/dist/storage/open-stores.js";
import { Reader } from "../../../gateway/dist/storage/reader.js";
import { Renderer } from "../../../gateway/dist/telemetry/render.js";

const { values } = parseArgs({
  options: { sizes: { type: "string", default: "10000,1000000,10000000" }, dir: { type: "string", default: tmpdir() } },
});
const SIZES = values.sizes.split(",").map(Number);
const DEVICES = 100;
const RARE = `device-${DEVICES - 1}`;
const FILL_RECORDS = 10_000;
const COMMIT_RECORDS = 100;
const SLICE_ROWS = 1_000;
const ROUNDS = 200;
const GAPS_LIMIT = 100;
const START_UNIX_MS = 1_700_000_000_000;
const SINK = { name: "sink", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null };

const clock = new SystemClock();
const random = new SystemRandom();
const dataDir = mkdtempSync(join(values.dir, "tidegate-growth-"));
const path = join(dataDir, SPOOL_FILE);
const reading = { signal: 1, dtMs: [], periodUs: 0, quality: 0, values: { kind: "floats", floats: [21.5] } };
const body = encodeTelemetry({ base: { kind: "uptime", uptimeMs: 1000 }, series: [reading], bootNonce: 0 });
const entry = new BatchEntry();
const seqs = new Uint32Array(DEVICES);
let epochs = new Array(DEVICES).fill(0);
let made = 0;
try {
  const rows = [];
  for (const size of SIZES) {
    fillTo(size);
    rows.push(measure());
    console.error(`  ${size} records: measured`);
  }
  console.table(rows);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}

/** Without fsyncs, and closed at its end: filling is not what is measured. */
function fillTo(size) {
  const { engine, devices } = open("off");
  while (made < size) commit(engine, devices, Math.min(FILL_RECORDS, size - made));
  engine.close();
}

function measure() {
  const from = performance.now();
  const { engine, devices } = open("full");
  const openMs = performance.now() - from;
  const reader = new Reader(path, new Renderer("bench"), clock);
  const records = engine.status().recordCount;
  const commits = times(ROUNDS, () => commit(engine, devices, COMMIT_RECORDS));
  let after = 0;
  const slices = times(ROUNDS, () => {
    const { scannedToId } = reader.rendered(after, SLICE_ROWS).slice;
    after = scannedToId > after ? scannedToId : 0; // at the end: again from the beginning
  });
  const gaps = {
    first: times(ROUNDS, () => reader.gaps({ limit: GAPS_LIMIT })),
    busy: times(ROUNDS, () => reader.gaps({ device: "device-0", limit: GAPS_LIMIT })),
    rare: times(ROUNDS, () => reader.gaps({ device: RARE, limit: GAPS_LIMIT })),
  };
  if (reader.gaps({ device: RARE, limit: GAPS_LIMIT }).length !== 1) throw new Error("the last device has one gap");
  engine.note({ cursors: [[SINK.name, engine.status().oldestRecordId + SLICE_ROWS]], boots: [], audit: [] });
  const tick = times(1, () => engine.tick());
  reader.close();
  engine.close();
  return {
    records,
    gaps: Math.floor(records / DEVICES),
    "open ms": openMs.toFixed(1),
    [`commit of ${COMMIT_RECORDS} ms`]: median(commits),
    [`slice of ${SLICE_ROWS} ms`]: median(slices),
    "delete a slice ms": median(tick),
    "first gaps ms": median(gaps.first),
    "a busy device's ms": median(gaps.busy),
    "a rare device's ms": median(gaps.rare),
  };
}

function open(synchronous) {
  const stores = openStores({ dataDir, clock, random, step, synchronous });
  const options = { quotaBytes: 2 ** 40, whenFull: "block", windowDigests: 64, keepsHistory: false, bootId: "growth" };
  const engine = new Engine(stores, { ...options, clock, random, step });
  engine.openSinks([SINK]);
  const devices = engine.hellos(Array.from({ length: DEVICES }, (_, i) => helloOf(i)));
  epochs = devices.map(({ epoch }) => epoch);
  return { engine, devices };
}

/** Records in turns of all devices. */
function commit(engine, devices, count) {
  const gather = new GatherBuffer(2 ** 26);
  for (let i = 0; i < count; i++) {
    const at = made % DEVICES;
    const gap = at === 0 || made === DEVICES - 1 ? 1 : 0;
    seqs[at] += 1 + gap;
    entry.deviceKey = devices[at].deviceKey;
    entry.epoch = devices[at].epoch;
    entry.seq = entry.announced = seqs[at];
    entry.gap = gap;
    entry.kind = EntryKind.telemetry;
    entry.accuracy = 1;
    entry.receivedUnixMs = entry.baseUnixMs = START_UNIX_MS + made;
    gather.append(entry, body);
    made += 1;
  }
  const outcome = engine.commit(gather.take());
  if (!outcome.ok || outcome.storedCount !== count) throw new Error(`stored ${outcome.storedCount} of ${count}`);
}

function helloOf(at) {
  const facts = { closing: false, firmware: "", model: "", sleepMs: 0, receivedUnixMs: START_UNIX_MS };
  const stream = { epoch: epochs[at] ?? 0, nextSeq: seqs[at] + 1, oldest: seqs[at] + 1, ackedSeq: seqs[at] };
  return { deviceId: `device-${at}`, bootNonce: 1, ...stream, lastCommand: 0, catalogHash: 0, ...facts };
}

function times(rounds, work) {
  return Array.from({ length: rounds }, () => {
    const from = performance.now();
    work();
    return performance.now() - from;
  });
}

function median(values) {
  values.sort((a, b) => a - b);
  return values[values.length >> 1].toFixed(2);
}
