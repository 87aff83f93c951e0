/**
 * Readings of one signal as two columns, and their packed form: what a blob of history.db holds.
 *
 *   blob    kind │ flags │ count │ first t │ steps of t (ints) │ [null bits] │ values that are not null
 *   kind    decimal: scale, then value · 10^scale (ints)        3 bytes a reading for a sensor of two decimals at 1/s
 *           double:  8 bytes each                               values with more digits than a decimal keeps exactly
 *           bool:    0 and 1 (ints)
 *           text:    length, then JSON of an array              texts, numbers past 2^53, or a mixture
 *
 * Packing is exact: what is read is what was written, −0 apart.
 */
import type { Value } from "../telemetry/value.js";
import { ByteReader, ByteWriter, DamagedBlob, PACKED_MAX } from "./history-bytes.js";

/** Times rise, or stay. A null value is a place where readings are known to be missing or bad. */
export interface Columns {
  /** Unix ms, whole. */
  readonly t: number[];
  readonly v: Value[];
}

const Kind = { decimal: 1, double: 2, bool: 3, text: 4 } as const;

const HAS_NULLS = 1;

/** Decimal places that are tried; an f32's shortest decimal mostly has fewer. */
export const SCALE_MAX = 9;

/** More readings than a blob ever holds: a count above it is bit rot. */
export const COUNT_MAX = 4_000_000;

const POWERS = Array.from({ length: SCALE_MAX + 1 }, (_, exponent) => 10 ** exponent);

/** A blob of `raw`, or of a piece of the head. */
export function packColumns({ t, v }: Columns): Uint8Array {
  const present = v.filter((value) => value !== null);
  const out = new ByteWriter();
  const packed = valuesPart(present);
  out.u8(packed.kind);
  out.u8(present.length < v.length ? HAS_NULLS : 0);
  out.varint(t.length);
  out.zigzag(t[0] ?? 0);
  out.ints(t.slice(1).map((time, i) => time - (t[i] ?? 0)));
  if (present.length < v.length) out.bytes(nullBits(v));
  packed.write(out);
  return out.take();
}

/** Throws DamagedBlob. */
export function unpackColumns(blob: Uint8Array): Columns {
  const from = new ByteReader(blob);
  const kind = from.u8();
  const flags = from.u8();
  const count = from.varint();
  if (count > COUNT_MAX) throw new DamagedBlob("a count is too large");
  const first = from.zigzag();
  const t = count === 0 ? [] : [first];
  let time = first;
  for (const step of from.ints(Math.max(0, count - 1))) {
    time += step;
    t.push(time);
  }
  if ((flags & HAS_NULLS) === 0) return { t, v: readValues(from, kind, count) };
  const bits = from.bytes(Math.ceil(count / 8));
  const isNull = (i: number): boolean => ((bits[i >> 3] ?? 0) & (1 << (i & 7))) !== 0;
  const nullCount = t.filter((_, i) => isNull(i)).length;
  const present = readValues(from, kind, count - nullCount);
  let next = 0;
  return { t, v: t.map((_, i) => (isNull(i) ? null : (present[next++] ?? null))) };
}

/** The smallest number of decimal places that holds all of them exactly; null when none does. */
export function decimalScale(values: readonly number[]): number | null {
  let scale = 0;
  for (const value of values) {
    while (!fits(value, scale)) {
      scale += 1;
      if (scale > SCALE_MAX) return null;
    }
  }
  return scale;
}

/** A number as a whole count of 10^−scale. */
export function toCount(value: number, scale: number): number {
  return Math.round(value * (POWERS[scale] ?? 1));
}

/** A whole count of 10^−scale as a number. */
export function fromCount(count: number, scale: number): number {
  return count / (POWERS[scale] ?? 1);
}

function fits(value: number, scale: number): boolean {
  const count = toCount(value, scale);
  return Math.abs(count) < PACKED_MAX && fromCount(count, scale) === value;
}

function valuesPart(present: readonly Exclude<Value, null>[]): { kind: number; write(out: ByteWriter): void } {
  if (present.every((value) => typeof value === "boolean")) {
    return { kind: Kind.bool, write: (out) => out.ints(present.map(Number)) };
  }
  if (present.every((value) => typeof value === "number")) return numbersPart(present);
  const text = new TextEncoder().encode(JSON.stringify(present));
  return {
    kind: Kind.text,
    write: (out) => {
      out.varint(text.length);
      out.bytes(text);
    },
  };
}

function numbersPart(numbers: readonly number[]): { kind: number; write(out: ByteWriter): void } {
  // A scale that fitted the values before it is checked against all: one that needs more digits raises it for all.
  const scale = decimalScale(numbers);
  const isExact = scale !== null && numbers.every((value) => fits(value, scale));
  if (scale === null || !isExact) {
    return {
      kind: Kind.double,
      write: (out) => {
        for (const value of numbers) out.f64(value);
      },
    };
  }
  return {
    kind: Kind.decimal,
    write: (out) => {
      out.u8(scale);
      out.ints(numbers.map((value) => toCount(value, scale)));
    },
  };
}

function readValues(from: ByteReader, kind: number, count: number): Value[] {
  switch (kind) {
    case Kind.decimal: {
      const scale = from.u8();
      return from.ints(count).map((value) => fromCount(value, scale));
    }
    case Kind.double:
      return Array.from({ length: count }, () => from.f64());
    case Kind.bool:
      return from.ints(count).map((value) => value !== 0);
    case Kind.text:
      return textValues(from.bytes(from.varint()), count);
    default:
      throw new DamagedBlob(`there is no kind ${kind}`);
  }
}

function textValues(bytes: Uint8Array, count: number): Value[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DamagedBlob("its text is no JSON", { cause });
  }
  if (!Array.isArray(parsed) || parsed.length !== count) throw new DamagedBlob("its text has another length");
  return parsed.map((value: unknown) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null,
  );
}

function nullBits(v: readonly Value[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(v.length / 8));
  v.forEach((value, i) => {
    if (value === null) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  });
  return bits;
}

/** Put two pieces in the order of time; readings of one instant keep the order of the pieces. */
export function mergeColumns(a: Columns, b: Columns): Columns {
  if (a.t.length === 0) return b;
  if (b.t.length === 0) return a;
  if ((a.t.at(-1) ?? 0) <= (b.t[0] ?? 0)) return { t: a.t.concat(b.t), v: a.v.concat(b.v) };
  return sortColumns({ t: a.t.concat(b.t), v: a.v.concat(b.v) });
}

/** The same in the order of time, stable. */
export function sortColumns({ t, v }: Columns): Columns {
  if (t.every((time, i) => i === 0 || time >= (t[i - 1] ?? 0))) return { t, v };
  const order = t.map((_, i) => i).sort((x, y) => (t[x] ?? 0) - (t[y] ?? 0));
  return { t: order.map((i) => t[i] ?? 0), v: order.map((i) => v[i] ?? null) };
}

/** The part with from ≤ t < to. Times must be in order. */
export function sliceColumns({ t, v }: Columns, fromUnixMs: number, toUnixMs: number): Columns {
  const start = lowerBound(t, fromUnixMs);
  const end = lowerBound(t, toUnixMs);
  return start === 0 && end === t.length ? { t, v } : { t: t.slice(start, end), v: v.slice(start, end) };
}

/** Index of the first time that is not below `at`. */
function lowerBound(t: readonly number[], at: number): number {
  let low = 0;
  let high = t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((t[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
