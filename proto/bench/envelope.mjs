/**
 * What a frame costs before it is acked: readEnvelope against a full decode, on frames as devices send them.
 *
 *   npm run build && node proto/bench/envelope.mjs
 *
 * Prints nanoseconds per frame, median and best of several rounds; the rounds show how quiet the machine was.
 */
import { cpus } from "node:os";
import { decodeUplink, Envelope, encodeUplink, readEnvelope } from "../dist/index.js";

const ROUNDS = 9;
const ROUND_MS = 120;

const series = (signal, ints, more = {}) => ({
  signal,
  dtMs: [],
  periodUs: 0,
  quality: 0,
  values: { kind: "ints", ints },
  ...more,
});

function telemetry(...columns) {
  const base = { kind: "uptime", uptimeMs: 86_400_000 };
  return { seq: 70_000, gap: 0, body: { kind: "telemetry", telemetry: { base, series: columns, bootNonce: 0 } } };
}

const wave = (count) => Array.from({ length: count }, (_, i) => 2150 + ((i * 7) % 60));
const floats = { values: { kind: "floats", floats: wave(5).map((value) => value / 100) } };

const frames = {
  "one reading": telemetry(series(1, [2150])),
  "64 B, 4 signals": telemetry(series(1, wave(4)), series(2, wave(4)), series(3, wave(4)), series(4, wave(4))),
  "64 B, 1 signal": telemetry(series(1, wave(23), { periodUs: 1_000_000 })),
  "64 B, floats": telemetry(series(1, [], floats), series(2, [], floats)),
  "1 KiB": telemetry(series(1, wave(500), { periodUs: 1000 })),
};

function measure(run) {
  const times = [];
  for (let round = 0; round < ROUNDS + 1; round += 1) {
    let count = 0;
    const started = process.hrtime.bigint();
    let spent = 0n;
    do {
      for (let i = 0; i < 1000; i += 1) run();
      count += 1000;
      spent = process.hrtime.bigint() - started;
    } while (spent < BigInt(ROUND_MS) * 1_000_000n);
    if (round > 0) times.push(Number(spent) / count);
  }
  times.sort((a, b) => a - b);
  return { best: times[0], median: times[ROUNDS >> 1] };
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
for (const [name, uplink] of Object.entries(frames)) {
  const bytes = encodeUplink(uplink);
  const envelope = new Envelope();
  const read = measure(() => readEnvelope(bytes, envelope));
  const decode = measure(() => decodeUplink(bytes));
  const show = ({ median, best }) => `${median.toFixed(0).padStart(6)} ns (best ${best.toFixed(0)})`;
  console.log(
    `${name.padEnd(16)} ${String(bytes.length).padStart(5)} B   readEnvelope ${show(read)}   decode ${show(decode)}`,
  );
}
