/** Packed columns and buckets: exact, small, and never trusted when read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Buckets, bucketsOf, mergeBuckets, packBuckets, unpackBuckets, widen } from "./history-buckets.js";
import { ByteReader, ByteWriter, DamagedBlob, PACKED_MAX } from "./history-bytes.js";
import { type Columns, mergeColumns, packColumns, sliceColumns, unpackColumns } from "./history-columns.js";

const time = fc.integer({ min: -1_000, max: 4e12 });
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((v) => v + 0),
  fc.integer({ min: -100_000, max: 100_000 }).map((count) => count / 100 + 0),
);
const column = (value: fc.Arbitrary<Columns["v"][number]>): fc.Arbitrary<Columns> =>
  fc.array(fc.tuple(time, fc.option(value, { freq: 8 })), { maxLength: 60 }).map((rows) => {
    const sorted = rows.sort(([a], [b]) => a - b);
    return { t: sorted.map(([t]) => t), v: sorted.map(([, v]) => v) };
  });
const anyColumns = fc.oneof(
  column(number),
  column(fc.boolean()),
  column(fc.string()),
  column(fc.oneof(number, fc.string())),
);

/** A property that fails is not shrunk for ever. */
const LIMIT_MS = 10_000;

describe("packed columns", () => {
  it("are read back exactly as they were written, whatever they hold", () => {
    fc.assert(
      fc.property(anyColumns, (columns) => {
        expect(unpackColumns(packColumns(columns))).toEqual(columns);
      }),
      { numRuns: 500, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("take three bytes a reading for a sensor of two decimals, and next to nothing for one that stands still", () => {
    const t = Array.from({ length: 3_600 }, (_, i) => 1.7e12 + i * 1_000);
    const wave = t.map((_, i) => Math.round(2_140 + 300 * Math.sin(i / 400) + ((i * 7919) % 13)) / 100);
    expect(packColumns({ t, v: wave }).length / t.length).toBeLessThan(3);
    expect(packColumns({ t, v: t.map(() => true) }).length).toBeLessThan(40);
  });

  it("throw DamagedBlob for any bytes that are not theirs, and nothing else", () => {
    const broken = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(anyColumns, fc.nat(), fc.nat(255)).map(([columns, at, value]) => {
        const blob = packColumns(columns);
        blob[at % blob.length] = value;
        return blob;
      }),
      fc.tuple(anyColumns, fc.nat()).map(([columns, at]) => {
        const blob = packColumns(columns);
        return blob.subarray(0, at % blob.length);
      }),
    );
    fc.assert(
      fc.property(broken, (blob) => {
        try {
          const { t, v } = unpackColumns(blob);
          expect(t.length).toBe(v.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DamagedBlob);
        }
      }),
      { numRuns: 1_000, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("merge in the order of time and keep the order of equal times", () => {
    const merged = mergeColumns({ t: [1, 5, 5], v: [1, 2, 3] }, { t: [2, 5], v: [4, 5] });
    expect(merged).toEqual({ t: [1, 2, 5, 5, 5], v: [1, 4, 2, 3, 5] });
    expect(sliceColumns(merged, 2, 5)).toEqual({ t: [2], v: [4] });
  });
});

describe("packed numbers", () => {
  it("keep every whole number up to their limit", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -PACKED_MAX, max: PACKED_MAX })), (values) => {
        const writer = new ByteWriter();
        writer.ints(values);
        expect(new ByteReader(writer.take()).ints(values.length)).toEqual(values);
      }),
      { interruptAfterTimeLimit: LIMIT_MS },
    );
  });
});

describe("buckets", () => {
  it("are read back as they were written, sums as closely as doubles add", () => {
    fc.assert(
      fc.property(column(number), (columns) => {
        const buckets = bucketsOf(columns, 60_000);
        const read = unpackBuckets(packBuckets(buckets));
        for (const key of ["i", "n", "min", "max"] as const) expect(read[key]).toEqual(buckets[key]);
        read.sum.forEach((sum, at) => {
          const wanted = buckets.sum[at] ?? 0;
          if (sum === wanted) return; // also where both are past all doubles
          expect(Math.abs(sum - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
        });
      }),
      { numRuns: 300, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("merge to the same whether readings came together or apart, and widen to the same as made wide", () => {
    const quarters = fc.integer({ min: -4_000, max: 4_000 }).map((count) => count / 4 + 0); // sums are exact
    fc.assert(
      fc.property(column(quarters), column(quarters), (a, b) => {
        const apart = mergeBuckets(bucketsOf(a, 60_000), bucketsOf(b, 60_000));
        const together = bucketsOf(mergeColumns(a, b), 60_000);
        expect(apart).toEqual(together);
        expect(widen(apart, 60)).toEqual(bucketsOf(mergeColumns(a, b), 3_600_000));
      }),
      { numRuns: 300, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("throw DamagedBlob for bytes that are not theirs", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (blob) => {
        try {
          expect(unpackBuckets(blob)).toBeInstanceOf(Buckets);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(DamagedBlob);
        }
      }),
      { interruptAfterTimeLimit: LIMIT_MS },
    );
  });
});
