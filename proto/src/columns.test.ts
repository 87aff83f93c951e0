/** The short way says nothing that decoding would not say, and takes what devices send. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTelemetry, encodeTelemetry } from "./codec.js";
import { ColumnKind, Columns } from "./columns.js";
import { SAMPLES_PER_MESSAGE_MAX } from "./limits.js";
import type { SeriesValues, Telemetry } from "./messages.js";
import { mutate, mutations } from "./testing/arbitraries.js";
import { bytesOf, uplinkVectors } from "./testing/vectors.js";

const columns = new Columns();

/** What stands in the columns, in the decoder's words. */
function seriesOf(): Telemetry["series"] {
  return Array.from({ length: columns.count }, (_, i) => ({
    signal: columns.signal[i] ?? 0,
    dtMs: [...columns.times.subarray(columns.timesFrom[i], columns.timesFrom[i + 1])],
    periodUs: columns.periodUs[i] ?? 0,
    quality: columns.quality[i] ?? 0,
    values: valuesOf(columns.kind[i] ?? 0, [
      ...columns.values.subarray(columns.valuesFrom[i], columns.valuesFrom[i + 1]),
    ]),
  }));
}

function valuesOf(kind: number, numbers: number[]): SeriesValues {
  if (kind === ColumnKind.ints) return { kind: "ints", ints: numbers };
  return kind === ColumnKind.floats ? { kind: "floats", floats: numbers } : { kind: "doubles", doubles: numbers };
}

/** @returns whether the short way took it. */
function agrees(body: Uint8Array): boolean {
  if (!columns.read(body)) return false;
  const decoded = decodeTelemetry(body);
  expect(decoded.ok && decoded.value.series).toEqual(seriesOf());
  return true;
}

const numbers = fc.oneof(
  fc
    .array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 30 })
    .map((ints) => ({ kind: "ints" as const, ints })),
  fc.array(fc.float(), { minLength: 1, maxLength: 30 }).map((floats) => ({ kind: "floats" as const, floats })),
  fc.array(fc.double(), { minLength: 1, maxLength: 30 }).map((doubles) => ({ kind: "doubles" as const, doubles })),
);
const telemetry = fc.record({
  base: fc.oneof(
    fc.constant({ kind: "none" as const }),
    fc.nat(2 ** 31).map((uptimeMs) => ({ kind: "uptime" as const, uptimeMs })),
    fc.nat(2 ** 31).map((ms) => ({ kind: "unix" as const, unixMs: 1_700_000_000_000 + ms })),
  ),
  series: fc.array(
    fc.record({
      signal: fc.nat(2 ** 31),
      periodUs: fc.constantFrom(0, 1000),
      quality: fc.nat(3),
      values: numbers,
      dtMs: fc.constantFrom<number[][]>([], [0], [5_000_000]),
    }),
    { maxLength: 8 },
  ),
  bootNonce: fc.constant(0),
});

describe("columns of a telemetry body", () => {
  it("hold the numbers that decoding gives, for everything that devices send", () => {
    fc.assert(
      fc.property(telemetry, (message) => {
        expect(agrees(encodeTelemetry(message))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are never surer than decoding, whatever happened to the bytes", () => {
    let taken = 0;
    fc.assert(
      fc.property(telemetry, mutations, (message, changes) => {
        if (agrees(mutate(encodeTelemetry(message), changes))) taken += 1;
      }),
      { numRuns: 4_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it("agree on the golden vectors, cut at every byte", () => {
    let taken = 0;
    for (const { hex } of uplinkVectors) {
      const bytes = bytesOf(hex);
      for (let from = 0; from < Math.min(12, bytes.length); from += 1) {
        for (let to = from; to <= bytes.length; to += 1) if (agrees(bytes.subarray(from, to))) taken += 1;
      }
    }
    expect(taken).toBeGreaterThan(10);
  });

  it("[P-33] leave more samples than a message may have to the decoder", () => {
    const one = (samples: number) => {
      const length = Buffer.of((samples & 0x7f) | 0x80, ((samples >> 7) & 0x7f) | 0x80, samples >> 14);
      const column = Buffer.concat([Buffer.of(0x2a), length, new Uint8Array(samples)]);
      const size = column.length;
      return Buffer.concat([Buffer.of(0x1a, (size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, size >> 14), column]);
    };
    expect(columns.read(one(SAMPLES_PER_MESSAGE_MAX))).toBe(true);
    expect(columns.read(one(SAMPLES_PER_MESSAGE_MAX + 1))).toBe(false);
  });

  it("leave texts, blobs and 64-bit numbers to the decoder", () => {
    const rare: SeriesValues[] = [
      { kind: "texts", texts: ["on"] },
      { kind: "blobs", blobs: [Uint8Array.of(1)] },
      { kind: "longs", longs: [1n] },
    ];
    for (const values of rare) {
      const series = [{ signal: 1, dtMs: [], periodUs: 0, quality: 0, values }];
      expect(columns.read(encodeTelemetry({ base: { kind: "none" }, series, bootNonce: 0 }))).toBe(false);
    }
  });
});
