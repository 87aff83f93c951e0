// The history at the size it is made for: 100 devices with one signal at 1/s for a week, 60 million readings. Prints
// the rate of taking them, bytes per reading on disk and written, and how long questions take.
//
//   node scripts/bench/micro/history.mjs [--days 7] [--devices 100] [--dir FOLDER] [--live]       needs `npm run build`
//
// `--live` instead: two hours as they come, one record of one reading per device and second, a flush every 10 seconds;
// prints what the kernel counts as written per reading.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { closeDatabase } from "../../../gateway/dist/storage/database.js";
import { HistoryEngine } from "../../../gateway/dist/storage/history-engine.js";
import { openHistory } from "../../../gateway/dist/storage/history-open.js";
import { encodeTelemetry } from "../../../proto/dist/index.js";

const { values } = parseArgs({
  options: {
    days: { type: "string", default: "7" },
    devices: { type: "string", default: "100" },
    dir: { type: "string" },
    live: { type: "boolean", default: false },
  },
});
const DEVICES = Number(values.devices);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const START = 20_700 * DAY_MS;
const SECONDS = values.live ? 7_200 : Number(values.days) * 86_400;
/** Readings per record, one second apart. */
const BATCH = values.live ? 1 : 60;

let nowMs = START;
const clock = { monoMs: () => nowMs, unixMs: () => nowMs, after: () => () => {} };

/** Records as the spool would hand them over, made when they are asked for. */
class Tail {
  #waiting = [];
  #lastId = 0;
  storeId = () => "bench";
  bounds = () => ({ oldestId: 1, lastId: this.#lastId });
  catalog = () => null;
  close() {}
  read(afterId) {
    const records = this.#waiting.filter(({ id }) => id > afterId);
    this.#waiting = [];
    return { records, scannedToId: records.at(-1)?.id ?? afterId };
  }
  add(device, body, baseUnixMs) {
    this.#lastId += 1;
    const numbers = { id: this.#lastId, epoch: 1, seq: this.#lastId, kind: 1, accuracy: 0, catalog: 0 };
    this.#waiting.push({ ...numbers, device, receivedUnixMs: nowMs, baseUnixMs, body });
  }
}

/** A sensor of two decimals that drifts over the day and trembles, as floats, with a few ms of jitter in its times. */
function bodyOf(device, second) {
  const floats = Array.from({ length: BATCH }, (_, i) => {
    const at = second + i;
    return Math.round(2_000 + 600 * Math.sin(at / 13_000 + device) + ((at * 7_919 + device * 31) % 17)) / 100;
  });
  const jitter = (i) => ((second + i) * 31 + device) % 4;
  const dtMs = floats.map((_, i) => (i === 0 ? jitter(0) : 1_000 + jitter(i) - jitter(i - 1)));
  const series = [{ signal: 1, dtMs, periodUs: 0, quality: 0, values: { kind: "floats", floats } }];
  return encodeTelemetry({ base: { kind: "none" }, bootNonce: 0, series });
}

function written() {
  const line = readFileSync("/proc/self/io", "utf8").match(/^write_bytes: (\d+)/m);
  return Number(line?.[1] ?? 0);
}

const folder = mkdtempSync(join(values.dir ?? tmpdir(), "tidegate-history-"));
const opened = openHistory(folder, START);
const tail = new Tail();
const engine = new HistoryEngine(opened.db, tail, { keepMs: 30 * DAY_MS, quotaBytes: 8 * 2 ** 30, clock });
const devices = Array.from({ length: DEVICES }, (_, i) => `device-${i}`);

const [writtenBefore, begun] = [written(), process.cpuUsage()];
/** How long each turn took: a question that comes during one waits for it. */
const turns = [];
const turnsCpu = [];
for (let second = 0; second < SECONDS; second += BATCH) {
  nowMs = START + (second + BATCH) * 1_000;
  devices.forEach((device, i) => {
    tail.add(device, bodyOf(i, second), START + second * 1_000);
  });
  for (let more = true; more; ) {
    const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
    more = engine.tick();
    turns.push(performance.now() - from);
    const { user, system } = process.cpuUsage(cpuFrom);
    turnsCpu.push((user + system) / 1000);
  }
}
nowMs += HOUR_MS;
while (engine.tick());
opened.db.pragma("wal_checkpoint(TRUNCATE)");
const { user, system } = process.cpuUsage(begun);
const { readingCount, usedBytes } = engine.progress();
const rate = Math.round(readingCount / ((user + system) / 1e6));
const fileBytes = statSync(join(folder, "history.db")).size;
console.log(`${readingCount} readings of ${DEVICES} signals, ${rate} a second of CPU (making them included)`);
const longest = `p99 ${at(turns, 0.99)} ms, slowest ${at(turns, 1)} ms, p99 of CPU ${at(turnsCpu, 0.99)} ms`;
console.log(`a turn, which a question may have to wait for: p50 ${at(turns, 0.5)} ms, ${longest}`);
console.log(
  `${(usedBytes / readingCount).toFixed(2)} B per reading used, ${(fileBytes / 2 ** 20).toFixed(0)} MiB file`,
);
console.log(`${((written() - writtenBefore) / readingCount).toFixed(1)} B per reading written to disk`);

if (!values.live) {
  const week = Number(values.days) * DAY_MS;
  const end = START + week;
  for (const [name, rangeMs, pointsMax] of [
    ["all, 600 points", week, 600],
    ["all, 5000 points", week, 5_000],
    ["a day, 600 points", DAY_MS, 600],
    ["a day, 5000 points (from readings)", DAY_MS, 5_000],
    ["an hour, 600 points (from readings)", HOUR_MS, 600],
    ["ten minutes, every reading", HOUR_MS / 6, 600],
  ]) {
    ask(name, rangeMs, pointsMax, end);
  }
}
engine.close();
closeDatabase(opened.db);
rmSync(folder, { recursive: true, force: true });

function ask(name, rangeMs, pointsMax, end) {
  const took = [];
  const cpu = [];
  let points = 0;
  for (let i = 0; i < 300; i++) {
    const to = end - ((i * 7_919_000) % Math.max(1, end - START - rangeMs + 1));
    const query = {
      device: devices[(i * 37) % DEVICES],
      signal: "#1",
      fromUnixMs: to - rangeMs,
      toUnixMs: to,
      pointsMax,
    };
    const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
    points = engine.read(query).t.length;
    took.push(performance.now() - from);
    const { user, system } = process.cpuUsage(cpuFrom);
    cpu.push((user + system) / 1000);
  }
  // On a machine that does other things, too, the CPU's time is what the question itself costs.
  const costs = `p99 of CPU ${at(cpu, 0.99)} ms`;
  console.log(`${name}: ${points} points, p50 ${at(took, 0.5)} ms, p99 ${at(took, 0.99)} ms, ${costs}`);
}

function at(times, share) {
  return (times.sort((a, b) => a - b)[Math.floor(share * (times.length - 1))] ?? 0).toFixed(1);
}
