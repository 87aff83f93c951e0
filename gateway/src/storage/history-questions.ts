/**
 * Answers questions about one signal and a range of time out of blobs and open readings.
 *
 *   few readings in the range          ─▶ every reading, null where the line must break
 *   more than `pointsMax`              ─▶ buckets of one width, a whole number of seconds, minutes or hours
 *        width < 1 min  from readings      < 1 h  from minutes      else  from hours
 *   a range that begins before a level ─▶ the next coarser one
 *
 * Buckets lie at multiples of their width, so that moving a chart sideways does not change its figures. With readings
 * goes the newest one before the range: a signal that is sent on change still is what it said then.
 */
import type { LiveReading } from "../model/spool.js";
import type { Value } from "../telemetry/value.js";
import { type Buckets, bucketsOf, joinBuckets, mergeBuckets, widen } from "./history-buckets.js";
import { type Columns, mergeColumns, sliceColumns } from "./history-columns.js";
import { isGap } from "./history-gaps.js";
import { type FigureLevel, HOUR_MS, MINUTE_MS, SLOT_MS, slotOf, WIDTH_MS } from "./history-levels.js";
import type { HistoryColumns, HistoryQuery, LatestOfDevice } from "./history-protocol.js";
import type { HistorySignal, SignalBook } from "./history-signals.js";
import type { HistoryTables, Progress } from "./history-tables.js";

/** Longer ranges are never answered with readings: counting them would cost one look-up per hour. */
const RAW_HOURS_MAX = 31 * 24;

/** More readings than these are not put into buckets one by one; the minutes are, however narrow the chart. */
const RAW_READINGS_MAX = 400_000;

/** Nulls are counted with the readings until they are read: so many more are looked at. */
const NULL_ALLOWANCE = 1.1;

const EMPTY: HistoryColumns = { unit: null, bucketMs: null, t: [], v: [] };

type ReadingBefore = NonNullable<HistoryColumns["before"]>;

/** A range of time, whole ms, `to` excluded. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** Reads only; everything it looks at belongs to the engine. */
export class HistoryQuestions {
  readonly #tables: HistoryTables;
  readonly #signals: SignalBook;
  readonly #progress: Progress;

  /** @param progress the engine's own, which it keeps up. */
  constructor(tables: HistoryTables, signals: SignalBook, progress: Progress) {
    this.#tables = tables;
    this.#signals = signals;
    this.#progress = progress;
  }

  /** Empty columns for a signal that nobody knows. */
  read(query: HistoryQuery): HistoryColumns {
    const signal = this.#signals.find(query.device, query.signal);
    if (signal === undefined) return EMPTY;
    const unit = signal.unit === "" ? null : signal.unit;
    const range = this.#stored(signal, query);
    const before = (): ReadingBefore | null => this.#before(signal, Math.ceil(query.fromUnixMs));
    if (range === null) return { ...EMPTY, unit, before: before() };
    const count = this.#count(signal, range, query.pointsMax);
    if (count !== null && count <= query.pointsMax * NULL_ALLOWANCE) {
      const readings = this.#readings(signal, range);
      const present = readings.v.reduce((sum: number, value) => sum + (value === null ? 0 : 1), 0);
      if (present <= query.pointsMax) {
        const edge = before();
        return { unit, bucketMs: null, ...withBreaks(readings, edge !== null), before: edge };
      }
    }
    if (typeof signal.last?.v === "string") {
      return { unit, ...this.#lastTexts(signal, range, query.pointsMax), before: before() };
    }
    return { unit, ...this.#figures(signal, range, query.pointsMax, count) };
  }

  latest(): LatestOfDevice[] {
    const devices = new Map<string, LiveReading[]>();
    for (const { device, name, unit, last } of this.#signals.all()) {
      if (last === null) continue;
      const readings = devices.get(device) ?? [];
      devices.set(device, readings);
      readings.push(unit === "" ? { signal: name, ...last } : { signal: name, ...last, unit });
    }
    return Array.from(devices, ([device, readings]) => ({ device, readings }));
  }

  /** The part of the range in which anything is stored; null when nothing is. */
  #stored(signal: HistorySignal, { fromUnixMs, toUnixMs }: HistoryQuery): Range | null {
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const level of ["raw", "minutes", "hours"] as const) {
      const slots = this.#tables.slots(level);
      if (slots === null) continue;
      first = Math.min(first, slots.first * SLOT_MS[level]);
      last = Math.max(last, (slots.last + 1) * SLOT_MS[level]);
    }
    for (const t of signal.t) {
      first = Math.min(first, t);
      last = Math.max(last, t + 1);
    }
    const from = Math.max(Math.ceil(fromUnixMs), first);
    const to = Math.min(Math.ceil(toUnixMs), last);
    return from < to ? { from, to } : null;
  }

  /**
   * How many readings the range has, nulls included. null when readings are out of the question: the range begins
   * before them, is too long, or has too many.
   */
  #count(signal: HistorySignal, range: Range, pointsMax: number): number | null {
    const first = slotOf("raw", range.from);
    const last = slotOf("raw", range.to - 1);
    if (range.from < this.#progress.fromUnixMs.raw || last - first >= RAW_HOURS_MAX) return null;
    // Where buckets would be made of minutes anyway, the points asked for decide it.
    const isFine = bucketWidth(range, pointsMax, 1) < MINUTE_MS;
    const countMax = isFine ? RAW_READINGS_MAX : pointsMax * NULL_ALLOWANCE;
    let count = signal.t.reduce((sum, t) => sum + (t >= range.from && t < range.to ? 1 : 0), 0);
    // The hours inside first, which need not be read; then those at the edges.
    for (let hour = first + 1; hour < last && count <= countMax; hour++) {
      count += this.#tables.rawCount(hour, signal.id);
    }
    for (const hour of first === last ? [first] : [first, last]) {
      if (count <= countMax) count += sliceColumns(this.#tables.raw(hour, signal.id), range.from, range.to).t.length;
    }
    return count <= countMax ? count : null;
  }

  #readings(signal: HistorySignal, { from, to }: Range): Columns {
    const times: number[][] = [];
    const values: Value[][] = [];
    for (let hour = slotOf("raw", from); hour <= slotOf("raw", to - 1); hour++) {
      const { t, v } = this.#tables.raw(hour, signal.id);
      times.push(t);
      values.push(v);
    }
    // One concatenation of whole arrays: flatMap takes ten times as long.
    const none: Columns = { t: [], v: [] };
    const readings: Columns = { t: none.t.concat(...times), v: none.v.concat(...values) };
    return sliceColumns(mergeColumns(readings, signal.sorted()), from, to);
  }

  /** The newest reading before an instant; null when there is none, or a break is newer. */
  #before(signal: HistorySignal, unixMs: number): ReadingBefore | null {
    const open = newest(sliceColumns(signal.sorted(), Number.NEGATIVE_INFINITY, unixMs));
    // Open readings are newer than packed ones, but for late ones.
    const floorMs = Math.max(this.#progress.fromUnixMs.raw, unixMs - RAW_HOURS_MAX * HOUR_MS, open?.t ?? 0);
    const first = Math.max(slotOf("raw", floorMs), this.#tables.slots("raw")?.first ?? Number.POSITIVE_INFINITY);
    // No reading is newer than the last one, and a break comes right behind it.
    const lastMs = Math.min(unixMs - 1, (signal.last?.t ?? unixMs) + 1);
    let packed: Newest | null = null;
    for (let hour = slotOf("raw", lastMs); hour >= first && packed === null; hour--) {
      if (this.#tables.rawCount(hour, signal.id) === 0) continue;
      packed = newest(sliceColumns(this.#tables.raw(hour, signal.id), Number.NEGATIVE_INFINITY, unixMs));
    }
    const found = packed === null || (open !== null && open.t >= packed.t) ? open : packed;
    return found === null || found.v === null ? null : { t: found.t, v: found.v };
  }

  #figures(signal: HistorySignal, range: Range, pointsMax: number, count: number | null): Omit<HistoryColumns, "unit"> {
    const { fromUnixMs } = this.#progress;
    let bucketMs = bucketWidth(range, pointsMax, 1);
    if (bucketMs < MINUTE_MS && count !== null) {
      const whole = wholeBuckets(range, bucketMs);
      const readings = this.#readings(signal, whole);
      const times = readings.t.filter((_, i) => readings.v[i] !== null);
      return columnsOf(bucketsOf(readings, bucketMs), bucketMs, times);
    }
    bucketMs = bucketWidth(range, pointsMax, MINUTE_MS);
    const isBeforeMinutes = range.from < fromUnixMs.minutes;
    const level = bucketMs < HOUR_MS && !isBeforeMinutes ? "minutes" : "hours";
    if (level === "hours") bucketMs = bucketWidth(range, pointsMax, HOUR_MS);
    const base = this.#buckets(signal, level, wholeBuckets(range, bucketMs));
    const widthMs = WIDTH_MS[level];
    const times = base.i.map((i) => i * widthMs);
    return columnsOf(widen(base, bucketMs / widthMs), bucketMs, times);
  }

  /** Stored and open figures of a level in a range of whole buckets. */
  #buckets(signal: HistorySignal, level: FigureLevel, { from, to }: Range): Buckets {
    const parts: Buckets[] = [];
    for (let slot = slotOf(level, from); slot <= slotOf(level, to - 1); slot++) {
      parts.push(this.#tables.figures(level, slot, signal.id));
    }
    const width = WIDTH_MS[level];
    const all = mergeBuckets(joinBuckets(parts), bucketsOf(signal.sorted(), width));
    return all.slice(from / width, to / width);
  }

  /** Texts have no figures: the last of each bucket stands for it. */
  #lastTexts(signal: HistorySignal, range: Range, pointsMax: number): Omit<HistoryColumns, "unit"> {
    const from = Math.max(range.from, this.#progress.fromUnixMs.raw, range.to - RAW_HOURS_MAX * HOUR_MS);
    const bucketMs = bucketWidth({ ...range, from }, pointsMax, 1);
    const readings = this.#readings(signal, wholeBuckets({ ...range, from }, bucketMs));
    const t: number[] = [];
    const v: Value[] = [];
    readings.t.forEach((time, i) => {
      const start = Math.floor(time / bucketMs) * bucketMs;
      if (t.at(-1) !== start) {
        t.push(start);
        v.push(null);
      }
      v[t.length - 1] = readings.v[i] ?? v.at(-1) ?? null;
    });
    return { bucketMs, t, v };
  }
}

/**
 * The narrowest width, a whole number of its unit, at which the range touches no more than `pointsMax` buckets.
 *
 * @param leastMs 1, a minute or an hour: what it must be a multiple of.
 */
export function bucketWidth({ from, to }: Range, pointsMax: number, leastMs: number): number {
  let width = roundUp(Math.max(leastMs, (to - from) / pointsMax));
  while (Math.floor((to - 1) / width) - Math.floor(from / width) + 1 > pointsMax) width = roundUp(width + 1);
  return width;
}

interface Newest {
  readonly t: number;
  readonly v: Value;
}

function newest({ t, v }: Columns): Newest | null {
  const at = t.at(-1);
  return at === undefined ? null : { t: at, v: v.at(-1) ?? null };
}

/** Up to a whole number of ms, seconds, minutes or hours, as the size asks for. */
function roundUp(width: number): number {
  const unit = width > HOUR_MS / 2 ? HOUR_MS : width > MINUTE_MS / 2 ? MINUTE_MS : width > 500 ? 1_000 : 1;
  return Math.ceil(width / unit) * unit;
}

function wholeBuckets({ from, to }: Range, width: number): Range {
  return { from: Math.floor(from / width) * width, to: Math.ceil(to / width) * width };
}

/**
 * Readings with a null wherever the line must break; never two in a row.
 *
 * @param comesFromBefore a line leads into the range, which may break before its first reading.
 */
function withBreaks(readings: Columns, comesFromBefore: boolean): { t: number[]; v: Columns["v"] } {
  const t: number[] = [];
  const v: Columns["v"] = [];
  const present = readings.t.filter((_, i) => readings.v[i] !== null);
  let at = 0;
  readings.t.forEach((time, i) => {
    const value = readings.v[i] ?? null;
    if (value === null) {
      if ((v.length > 0 || comesFromBefore) && v.at(-1) !== null) push(t, v, time, null);
      return;
    }
    if (at > 0 && v.at(-1) !== null && isGap(present, at)) push(t, v, (t.at(-1) ?? 0) + 1, null);
    push(t, v, time, value);
    at += 1;
  });
  return { t, v };
}

function push(t: number[], v: Columns["v"], time: number, value: Columns["v"][number]): void {
  t.push(time);
  v.push(value);
}

/**
 * Buckets as columns; a null where buckets without readings lie between two with, and the time between is a gap.
 *
 * @param times of the readings or narrower buckets that they were made of, rising.
 */
function columnsOf(buckets: Buckets, bucketMs: number, times: readonly number[]): Omit<HistoryColumns, "unit"> {
  const t: number[] = [];
  const [min, avg, max]: (number | null)[][] = [[], [], []];
  const add = (start: number, low: number | null, mean: number | null, high: number | null): void => {
    t.push(start);
    min?.push(low);
    avg?.push(mean);
    max?.push(high);
  };
  let at = 0;
  buckets.i.forEach((i, b) => {
    const start = i * bucketMs;
    while (at < times.length && (times[at] ?? 0) < start) at += 1;
    const before = buckets.i[b - 1];
    if (before !== undefined && i - before > 1 && isGap(times, at)) add((before + 1) * bucketMs, null, null, null);
    add(start, buckets.min[b] ?? null, mean(buckets, b), buckets.max[b] ?? null);
  });
  return { bucketMs, t, min: min ?? [], avg: avg ?? [], max: max ?? [] };
}

/** Fifteen digits would show the error of adding doubles. A sum past all doubles leaves the middle of the extremes. */
function mean(buckets: Buckets, at: number): number {
  if (!Number.isFinite(buckets.sum[at])) return (buckets.min[at] ?? 0) / 2 + (buckets.max[at] ?? 0) / 2;
  return Number(((buckets.sum[at] ?? 0) / (buckets.n[at] ?? 1)).toPrecision(12));
}
