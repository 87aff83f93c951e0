// How many records per second the storage engine commits, with fsync, CRC and marks: batches of 5,000 records of 64
// bytes from 100 devices, one transaction each; then the same with everything taken and deleted behind it.
//
//   node scripts/bench/micro/spool-commit.mjs [--seconds 5] [--dir FOLDER]       needs `npm run build`

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { step } from "../../../gateway/dist/command/command-machine.js";
import { SystemClock } from "../../../gateway/dist/core/clock.js";
import { SystemRandom } from "../../../gateway/dist/core/random.js";
import { BatchEntry, GatherBuffer } from "../../../gateway/dist/model/batch.js";
import { Engine } from "../../../gateway/dist/storage/engine.js";
import { openStores } from "../../../gateway/dist/storage/open-stores.js";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "5" }, dir: { type: "string" } } });
const DEVICES = 100;
const BATCH_ENTRIES = 5_000;
const BODY_BYTES = 64;
const seconds = Number(values.seconds);

console.log(`${BATCH_ENTRIES} records of ${BODY_BYTES} B per commit, ${DEVICES} devices, ${seconds} s each`);
for (const isDrained of [false, true]) measure(isDrained);

/** @param {boolean} isDrained whether a sink takes everything at once, so that commits delete behind themselves */
function measure(isDrained) {
  const dataDir = mkdtempSync(join(values.dir ?? tmpdir(), "tidegate-bench-"));
  const clock = new SystemClock();
  const random = new SystemRandom();
  const stores = openStores({ dataDir, clock, random, step });
  const engine = new Engine(stores, {
    quotaBytes: 16 * 2 ** 30,
    whenFull: "block",
    windowDigests: 64,
    keepsHistory: false,
    bootId: "bench",
    clock,
    random,
    step,
  });
  engine.openSinks([{ name: "sink", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
  const fleet = engine.hellos(Array.from({ length: DEVICES }, (_, i) => hello(`device-${i}`)));
  const seqs = new Uint32Array(DEVICES);
  const body = random.bytes(BODY_BYTES);
  let records = 0;
  let engineMs = 0;
  let cpuUs = 0;
  const latencies = [];
  const until = clock.monoMs() + seconds * 1000;
  while (clock.monoMs() < until) {
    const batch = gather(fleet, seqs, body, clock.unixMs());
    const began = clock.monoMs();
    const cpu = process.cpuUsage();
    const outcome = engine.commit(batch);
    latencies.push(clock.monoMs() - began);
    engineMs += clock.monoMs() - began;
    const { user, system } = process.cpuUsage(cpu);
    cpuUs += user + system;
    if (!outcome.ok) throw new Error(`refused: ${outcome.reason}`);
    records += outcome.storedCount;
    if (isDrained) engine.note({ cursors: [["sink", outcome.lastRecordId]], boots: [], audit: [] });
  }
  latencies.sort((a, b) => a - b);
  const { recordCount, usedBytes } = engine.status();
  engine.close();
  rmSync(dataDir, { recursive: true, force: true });
  const perSecond = Math.round((records / engineMs) * 1000);
  const p50 = latencies[latencies.length >> 1].toFixed(1);
  const p99 = latencies[Math.floor(latencies.length * 0.99)].toFixed(1);
  const what = isDrained ? "stored and deleted behind" : "stored                   ";
  const cost = `${perSecond} records/s  ${(cpuUs / records).toFixed(2)} µs of CPU each`;
  const left = `left ${recordCount}  ${(usedBytes / 2 ** 20).toFixed(0)} MiB`;
  console.log(`${what}  ${cost}  commit p50 ${p50} ms  p99 ${p99} ms  ${left}`);
}

function gather(fleet, seqs, body, nowUnixMs) {
  const buffer = new GatherBuffer(64 * 2 ** 20, 1024 * 1024);
  const entry = new BatchEntry();
  for (let i = 0; i < BATCH_ENTRIES; i++) {
    const device = i % DEVICES;
    seqs[device] += 1;
    entry.deviceKey = fleet[device].deviceKey;
    entry.epoch = fleet[device].epoch;
    entry.seq = seqs[device];
    entry.announced = seqs[device];
    entry.kind = 5;
    entry.receivedUnixMs = nowUnixMs;
    entry.baseUnixMs = nowUnixMs;
    buffer.append(entry, body, 0, body.length);
  }
  return buffer.take();
}

function hello(deviceId) {
  const numbers = { bootNonce: 1, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, lastCommand: 0, catalogHash: 0 };
  const facts = { closing: false, firmware: "", model: "", sleepMs: 0, receivedUnixMs: Date.now() };
  return { deviceId, ...numbers, ...facts };
}
