/**
 * Packing: open readings of hours that are over go into their blobs, a slice at a time, so that questions come through.
 *
 *   open readings ─┬─ of hours that are over ─▶ raw, minutes, hours       one (hour, signal) after the other
 *                  └─ of the present hour ────▶ stay open
 *
 * The head on disk is not written anew for that: each slice puts down, in its own transaction, up to which row of the
 * head and which hour a signal is packed, and a start leaves those readings out. A row goes when all of it is packed.
 * Blobs are written in the order of their keys, so that the file grows at its end.
 */
import { bucketsOf } from "./history-buckets.js";
import { type Columns, sliceColumns } from "./history-columns.js";
import { HOUR_MS, type Level, SLOT_MS, slotOf, WIDTH_MS } from "./history-levels.js";
import type { HistorySignal, SignalBook } from "./history-signals.js";
import type { HistoryTables, Progress } from "./history-tables.js";

/** Readings of one slice: about 15 ms of work on a desktop, four times that on a small board. */
const SLICE_READINGS_MAX = 12_000;
/** A row of a signal costs about as much as so many readings. */
const ROW_COST = 50;

/** One thing to do: a signal's readings up to the end of an hour. `null`: only its row is to be written. */
interface Task {
  readonly signal: HistorySignal;
  /** Hours since 1970. */
  readonly hour: number | null;
}

/** What a slice has done; to be applied to memory once it is committed. */
export interface PackedSlice {
  readonly tasks: readonly Task[];
  readonly bytes: Record<Level, number>;
}

/** One packing, from the list of what there is to do until nothing is left of it. */
export class HistoryPacking {
  /** Hours below it are packed; infinite: everything is. */
  readonly beforeHour: number;
  readonly #tables: HistoryTables;
  readonly #progress: Progress;
  #tasks: Task[];

  /** @param openHour the hour that stays open, and all after it; null: nothing does. */
  constructor(tables: HistoryTables, signals: SignalBook, progress: Progress, openHour: number | null) {
    this.beforeHour = openHour ?? Number.MAX_SAFE_INTEGER;
    this.#tables = tables;
    this.#progress = progress;
    this.#tasks = tasksOf(signals, this.beforeHour);
  }

  get isDone(): boolean {
    return this.#tasks.length === 0;
  }

  /**
   * Inside a transaction, behind a flush: write the next few. Nothing in memory is changed, so that it can fail.
   *
   * @param headId the newest row of the head: everything open is in it or before it.
   */
  slice(headId: number): PackedSlice {
    const bytes = { ...this.#progress.bytes };
    const writtenToMs = new Map<HistorySignal, number>();
    let cost = 0;
    let count = 0;
    while (count < this.#tasks.length && cost < SLICE_READINGS_MAX) {
      const task = this.#tasks[count];
      if (task === undefined) break;
      // What this slice has written of the signal is still in memory until it is committed.
      const fromMs = writtenToMs.get(task.signal) ?? Number.NEGATIVE_INFINITY;
      cost += ROW_COST + this.#write(task, { headId, fromMs, bytes });
      if (task.hour !== null) writtenToMs.set(task.signal, (task.hour + 1) * HOUR_MS);
      count += 1;
    }
    return { tasks: this.#tasks.slice(0, count), bytes };
  }

  /** The slice is on disk. @returns the bytes of memory that its readings took */
  applied({ tasks }: PackedSlice): number {
    this.#tasks = this.#tasks.slice(tasks.length);
    let bytes = 0;
    for (const { signal, hour } of tasks) {
      signal.isNew = false;
      signal.isRowDirty = false;
      if (hour !== null) bytes += signal.dropBefore((hour + 1) * HOUR_MS);
    }
    return bytes;
  }

  /** @returns how many readings it took */
  #write(
    { signal, hour }: Task,
    { headId, fromMs, bytes }: { headId: number; fromMs: number; bytes: Record<Level, number> },
  ): number {
    if (signal.isNew || signal.isRowDirty) this.#tables.putSignal(signal.row());
    if (hour === null) return 0;
    // Late readings may have come for hours that were done before: they go along.
    const columns = sliceColumns(signal.sorted(), fromMs, (hour + 1) * HOUR_MS);
    for (const piece of byHour(columns)) this.#writeHour(signal, piece, bytes);
    this.#tables.putPacked(signal.id, headId, hour + 1);
    return columns.t.length;
  }

  #writeHour(signal: HistorySignal, { hour, columns }: HourPiece, bytes: Record<Level, number>): void {
    const startMs = hour * HOUR_MS;
    const { fromUnixMs } = this.#progress;
    if (startMs >= fromUnixMs.raw) bytes.raw += this.#tables.addRaw(hour, signal.id, columns);
    const minutes = bucketsOf(columns, WIDTH_MS.minutes);
    if (minutes.length > 0 && startMs >= fromUnixMs.minutes) {
      bytes.minutes += this.#tables.addFigures("minutes", hour, signal.id, minutes);
    }
    const day = slotOf("hours", startMs);
    const hours = bucketsOf(columns, WIDTH_MS.hours);
    if (hours.length > 0 && (day + 1) * SLOT_MS.hours > fromUnixMs.hours) {
      bytes.hours += this.#tables.addFigures("hours", day, signal.id, hours);
    }
  }
}

/** Everything there is to do, hour by hour and in each by signal. */
function tasksOf(signals: SignalBook, beforeHour: number): Task[] {
  const tasks: Task[] = [];
  for (const signal of signals.all()) {
    const hours = new Set<number>();
    for (const t of signal.t) if (t < beforeHour * HOUR_MS) hours.add(slotOf("raw", t));
    for (const hour of hours) tasks.push({ signal, hour });
    if (hours.size === 0 && (signal.isNew || signal.isRowDirty)) tasks.push({ signal, hour: null });
  }
  return tasks.sort((a, b) => (a.hour ?? 0) - (b.hour ?? 0) || a.signal.id - b.signal.id);
}

interface HourPiece {
  /** Hours since 1970. */
  readonly hour: number;
  readonly columns: Columns;
}

/** Readings in the order of time, one piece per hour. */
function* byHour(columns: Columns): Iterable<HourPiece> {
  let rest = columns;
  for (;;) {
    const first = rest.t[0];
    if (first === undefined) return;
    const hour = slotOf("raw", first);
    const endMs = (hour + 1) * HOUR_MS;
    yield { hour, columns: sliceColumns(rest, hour * HOUR_MS, endMs) };
    // Straight to the next reading: between two of them may lie years.
    rest = sliceColumns(rest, endMs, Number.POSITIVE_INFINITY);
  }
}
