/**
 * Figures per bucket of time: how many readings, smallest, largest and their sum. Two sets of the same width merge into
 * one, so that readings which come late are added where they belong.
 *
 *   bucket i of width w   i · w ≤ t < (i + 1) · w, Unix ms: the same for every question, whatever its range
 *
 *   blob    form │ count │ first i │ steps of i (ints) │ n (ints) │ min, max − min, sum − n · min
 *   form    scale 0 … 9: as whole counts of 10^−scale (ints)          255: as doubles
 */
import type { Value } from "../telemetry/value.js";
import { ByteReader, ByteWriter, DamagedBlob, PACKED_MAX } from "./history-bytes.js";
import { type Columns, decimalScale, fromCount, SCALE_MAX, toCount } from "./history-columns.js";

const DOUBLES = 255;

/** More buckets than a blob ever holds: a count above it is bit rot. */
const COUNT_MAX = 100_000;

/** The columns of a set of buckets. `i` rises strictly, `n` is at least 1. */
export interface BucketColumns {
  readonly i: number[];
  readonly n: number[];
  readonly min: number[];
  readonly max: number[];
  readonly sum: number[];
}

/** Buckets of one width, in the order of time; they grow at their end. */
export class Buckets implements BucketColumns {
  readonly i: number[];
  readonly n: number[];
  readonly min: number[];
  readonly max: number[];
  readonly sum: number[];

  /** @param columns become this object's own; an empty set without them. */
  constructor(columns?: BucketColumns) {
    this.i = columns?.i ?? [];
    this.n = columns?.n ?? [];
    this.min = columns?.min ?? [];
    this.max = columns?.max ?? [];
    this.sum = columns?.sum ?? [];
  }

  get length(): number {
    return this.i.length;
  }

  /** Put one figure behind or into the last bucket; `i` must not go back. */
  add(i: number, figure: number): void {
    const last = this.i.length - 1;
    if (this.i[last] !== i) {
      this.i.push(i);
      this.n.push(1);
      this.min.push(figure);
      this.max.push(figure);
      this.sum.push(figure);
      return;
    }
    this.n[last] = (this.n[last] ?? 0) + 1;
    this.min[last] = Math.min(this.min[last] ?? figure, figure);
    this.max[last] = Math.max(this.max[last] ?? figure, figure);
    this.sum[last] = (this.sum[last] ?? 0) + figure;
  }

  /** Put bucket `at` of another set behind or into the last bucket, as bucket `i`. */
  addFrom(other: Buckets, at: number, i: number): void {
    const [n, low, high, sum] = [other.n[at] ?? 0, other.min[at] ?? 0, other.max[at] ?? 0, other.sum[at] ?? 0];
    const last = this.i.length - 1;
    if (this.i[last] !== i) {
      this.i.push(i);
      this.n.push(n);
      this.min.push(low);
      this.max.push(high);
      this.sum.push(sum);
      return;
    }
    this.n[last] = (this.n[last] ?? 0) + n;
    this.min[last] = Math.min(this.min[last] ?? low, low);
    this.max[last] = Math.max(this.max[last] ?? high, high);
    this.sum[last] = (this.sum[last] ?? 0) + sum;
  }

  /** The part with fromIndex ≤ i < toIndex. */
  slice(fromIndex: number, toIndex: number): Buckets {
    const start = this.i.findIndex((i) => i >= fromIndex);
    if (start < 0) return new Buckets();
    const behind = this.i.findIndex((i) => i >= toIndex);
    const end = behind < 0 ? this.length : behind;
    if (start === 0 && end === this.length) return this;
    const cut = (column: readonly number[]): number[] => column.slice(start, end);
    return new Buckets({
      i: cut(this.i),
      n: cut(this.n),
      min: cut(this.min),
      max: cut(this.max),
      sum: cut(this.sum),
    });
  }
}

/** What a value counts as in figures: numbers, and booleans as 0 and 1. Texts have none. */
export function figureOf(value: Value): number | null {
  return typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : null;
}

/** Figures of readings in the order of time. */
export function bucketsOf({ t, v }: Columns, widthMs: number): Buckets {
  const buckets = new Buckets();
  t.forEach((time, at) => {
    const figure = figureOf(v[at] ?? null);
    if (figure !== null) buckets.add(Math.floor(time / widthMs), figure);
  });
  return buckets;
}

/** The same figures in buckets that are `factor` times as wide. */
export function widen(buckets: Buckets, factor: number): Buckets {
  if (factor === 1) return buckets;
  const wide = new Buckets();
  buckets.i.forEach((i, at) => {
    wide.addFrom(buckets, at, Math.floor(i / factor));
  });
  return wide;
}

/** Sets of one width that follow each other, as one. */
export function joinBuckets(parts: readonly Buckets[]): Buckets {
  const none: number[] = [];
  return new Buckets({
    i: none.concat(...parts.map(({ i }) => i)),
    n: none.concat(...parts.map(({ n }) => n)),
    min: none.concat(...parts.map(({ min }) => min)),
    max: none.concat(...parts.map(({ max }) => max)),
    sum: none.concat(...parts.map(({ sum }) => sum)),
  });
}

/** Two sets of one width as one. */
export function mergeBuckets(a: Buckets, b: Buckets): Buckets {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Buckets();
  let x = 0;
  let y = 0;
  while (x < a.length || y < b.length) {
    const i = Math.min(a.i[x] ?? Number.POSITIVE_INFINITY, b.i[y] ?? Number.POSITIVE_INFINITY);
    if (a.i[x] === i) merged.addFrom(a, x++, i);
    if (b.i[y] === i) merged.addFrom(b, y++, i);
  }
  return merged;
}

/** A blob of `minutes` or `hours`. */
export function packBuckets(buckets: Buckets): Uint8Array {
  const { i, n, min, max, sum } = buckets;
  const out = new ByteWriter();
  const scale = exactScale(buckets);
  out.u8(scale ?? DOUBLES);
  out.varint(i.length);
  out.zigzag(i[0] ?? 0);
  out.ints(i.slice(1).map((index, at) => index - (i[at] ?? 0)));
  out.ints(n);
  if (scale === null) {
    for (const column of [min, max, sum]) for (const value of column) out.f64(value);
    return out.take();
  }
  const low = min.map((value) => toCount(value, scale));
  out.ints(low);
  out.ints(max.map((value, at) => toCount(value, scale) - (low[at] ?? 0)));
  out.ints(sum.map((value, at) => toCount(value, scale) - (n[at] ?? 0) * (low[at] ?? 0)));
  return out.take();
}

/** Throws DamagedBlob. */
export function unpackBuckets(blob: Uint8Array): Buckets {
  const from = new ByteReader(blob);
  const form = from.u8();
  const count = from.varint();
  if (count > COUNT_MAX || (form > SCALE_MAX && form !== DOUBLES)) throw new DamagedBlob("its head cannot be right");
  let index = from.zigzag();
  const i = count === 0 ? [] : [index];
  for (const step of from.ints(Math.max(0, count - 1))) {
    index += step;
    i.push(index);
  }
  const n = from.ints(count);
  if (form === DOUBLES) {
    const doubles = (): number[] => Array.from({ length: count }, () => from.f64());
    return new Buckets({ i, n, min: doubles(), max: doubles(), sum: doubles() });
  }
  const [low, spread, excess] = [from.ints(count), from.ints(count), from.ints(count)];
  return new Buckets({
    i,
    n,
    min: low.map((value) => fromCount(value, form)),
    max: low.map((value, at) => fromCount(value + (spread[at] ?? 0), form)),
    sum: low.map((value, at) => fromCount((excess[at] ?? 0) + (n[at] ?? 0) * value, form)),
  });
}

/**
 * The decimal places that hold every figure; null when only doubles do. A sum of decimals is a decimal too: rounding it
 * to their places takes the error of adding doubles away again.
 */
function exactScale({ n, min, max, sum }: Buckets): number | null {
  const scale = decimalScale([...min, ...max]);
  if (scale === null) return null;
  const holds = sum.every((value, at) => {
    const count = toCount(value, scale);
    const largest = Math.max(Math.abs(count), Math.abs((n[at] ?? 0) * toCount(min[at] ?? 0, scale)));
    return largest < PACKED_MAX / 2 && Math.abs(fromCount(count, scale) - value) <= 1e-9 * Math.max(1, Math.abs(value));
  });
  const isExact = [...min, ...max].every((value) => fromCount(toCount(value, scale), scale) === value);
  return holds && isExact ? scale : null;
}
