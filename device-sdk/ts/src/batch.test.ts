/** Batches as they go over the wire: what a reading costs, and that its time is the one it was measured at. */
import { MESSAGE_BYTES_MAX, SAMPLES_PER_MESSAGE_MAX, type Telemetry } from "@tidegate/proto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch, type CutBatch, periodUs } from "./batch.js";
import { encodeBody, withHead } from "./frame-head.js";
import { type SignalOptions, signalCodec } from "./signal.js";

/** What a client's WebSocket frame adds: 2 bytes, 2 of length from 126 on, 4 of mask (RFC 6455 §5.2). */
function onTheWire(message: Uint8Array): number {
  return message.length + 2 + (message.length >= 126 ? 2 : 0) + 4;
}

function frame({ telemetry }: CutBatch): Uint8Array {
  return withHead(100_000, 0, encodeBody({ kind: "telemetry", telemetry }));
}

/** Bytes per sample of 60 readings, one a second, an hour and a day after boot. */
function bytesPerSample(options: SignalOptions, valueAt: (i: number) => unknown, jitterAt = (_: number) => 0): number {
  const batch = new Batch("uptime", 4_096, 0);
  const codec = signalCodec(1, "s", options);
  for (let i = 0; i < 60; i++) batch.add(codec, 0, 90_000_000 + i * 1_000 + jitterAt(i), codec.encode(valueAt(i)));
  const cuts = batch.cut();
  expect(cuts).toHaveLength(1);
  return cuts.reduce((sum, cut) => sum + onTheWire(frame(cut)), 0) / 60;
}

/** The times and values a gateway reads out of a message [P-39]. */
function readings({ base, series }: Telemetry): { signal: number; atMs: number; value: unknown }[] {
  const baseMs = base.kind === "uptime" ? base.uptimeMs : base.kind === "unix" ? base.unixMs : 0;
  return series.flatMap(({ signal, dtMs, periodUs: period, values }) => {
    const list: readonly unknown[] =
      values.kind === "ints" ? values.ints : values.kind === "floats" ? values.floats : [];
    let atMs = baseMs;
    return list.map((value, i) => {
      atMs = period > 0 ? baseMs + (i * period) / 1000 : atMs + (dtMs[i] ?? 0);
      return { signal, atMs, value };
    });
  });
}

describe("bytes per sample with the WebSocket frame (target T11)", () => {
  test("60 regular floats cost at most 6", () => {
    expect(bytesPerSample({}, (i) => 20 + Math.sin(i))).toBeLessThanOrEqual(6);
  });

  test("60 floats of a timer that is a little late cost at most 6 when the interval is declared", () => {
    const late = (i: number): number => (i * 7) % 4;
    expect(bytesPerSample({ intervalMs: 1_000 }, (i) => 20 + Math.sin(i), late)).toBeLessThanOrEqual(6);
  });

  test("60 regular scaled integers cost at most 3", () => {
    expect(bytesPerSample({ scale: -2 }, (i) => 20 + Math.sin(i))).toBeLessThanOrEqual(3);
  });

  test("60 booleans cost at most 2", () => {
    expect(bytesPerSample({ type: "bool" }, (i) => i % 2 === 0)).toBeLessThanOrEqual(2);
  });
});

describe("times", () => {
  test("an undeclared rhythm is only called regular when it is exact", () => {
    expect(periodUs([0, 100, 200], 0)).toBe(100_000);
    expect(periodUs([0, 100, 201], 0)).toBe(0);
    expect(periodUs([0, 100, 201], 1)).toBe(100_500);
    expect(periodUs([0, 0, 0], 0)).toBe(0);
    expect(periodUs([5], 0)).toBe(0);
  });

  test("every reading comes back with its value and time, however it was batched", () => {
    const reading = fc.record({
      signal: fc.integer({ min: 1, max: 4 }),
      stepMs: fc.oneof(fc.constant(10), fc.integer({ min: -50, max: 5_000 })),
      value: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      quality: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(
        fc.array(reading, { maxLength: 200, size: "max" }),
        fc.integer({ min: 256, max: 4_096 }),
        (list, max) => {
          const batch = new Batch("unix", max, 7);
          const codecs = [1, 2, 3, 4].map((id) => signalCodec(id, `s${id}`, { type: "int" }));
          const cuts: CutBatch[] = [];
          const expected: string[] = [];
          let atMs = 1_700_000_000_000;
          for (const { signal, stepMs, value, quality } of list) {
            atMs += stepMs;
            const codec = codecs[signal - 1];
            if (codec) cuts.push(...batch.add(codec, quality, atMs, codec.encode(value)));
            expected.push(`${signal} ${atMs} ${value}`);
          }
          cuts.push(...batch.cut());
          for (const cut of cuts) expect(frame(cut).length).toBeLessThanOrEqual(max);
          expect(cuts.reduce((sum, cut) => sum + cut.samples, 0)).toBe(list.length);
          const got = cuts.flatMap((cut) => readings(cut.telemetry)).map((r) => `${r.signal} ${r.atMs} ${r.value}`);
          expect(got.sort()).toEqual(expected.sort());
        },
      ),
      { numRuns: 200 },
    );
  });

  test("a regular signal that does not begin with the others keeps its saving in a message of its own", () => {
    const batch = new Batch("uptime", 4_096, 0);
    const [a, b] = [signalCodec(1, "a", {}), signalCodec(2, "b", {})];
    for (let i = 0; i < 30; i++) {
      batch.add(a, 0, i * 1_000, a.encode(i));
      batch.add(b, 0, i * 1_000 + 300, b.encode(i));
    }
    expect(batch.cut().map(({ telemetry }) => [telemetry.base, telemetry.series.map((s) => s.periodUs)])).toEqual([
      [{ kind: "uptime", uptimeMs: 0 }, [1_000_000]],
      [{ kind: "uptime", uptimeMs: 300 }, [1_000_000]],
    ]);
  });
});

describe("limits", () => {
  test("a message is cut before it passes its size and before it has too many samples", () => {
    const batch = new Batch("uptime", MESSAGE_BYTES_MAX - 2_000, 0);
    const codec = signalCodec(1, "s", { type: "bool" });
    const cuts: CutBatch[] = [];
    for (let i = 0; i <= SAMPLES_PER_MESSAGE_MAX; i++) cuts.push(...batch.add(codec, 0, i, codec.encode(true)));
    expect(cuts.map(({ samples }) => samples)).toEqual([SAMPLES_PER_MESSAGE_MAX]);
    expect(batch.samples).toBe(1);
  });
});
