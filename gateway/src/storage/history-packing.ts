/**
 * Packing: open readings of hours that are over go into their blobs, in one transaction with the progress.
 *
 *   open readings ─┬─ of hours that are over ─▶ raw, minutes, hours
 *                  └─ of the present hour ────▶ stay open; the head is written anew with only them
 *
 * Blobs are written in the order of their keys, so that the file grows at its end.
 */
import { Buckets, bucketsOf, mergeBuckets } from "./history-buckets.js";
import { type Columns, sliceColumns } from "./history-columns.js";
import { HOUR_MS, type Level, SLOT_MS, slotOf, WIDTH_MS } from "./history-levels.js";
import { type HistorySignal, packHead, type SignalBook } from "./history-signals.js";
import type { HistoryTables, Progress } from "./history-tables.js";

interface Piece {
  /** Hours since 1970. */
  readonly hour: number;
  readonly signal: HistorySignal;
  readonly columns: Columns;
}

/** What a packing did; to be applied to memory once it is committed. */
export interface Packed {
  readonly left: ReadonlyMap<HistorySignal, Columns>;
  readonly rows: readonly HistorySignal[];
  readonly bytes: Record<Level, number>;
}

/**
 * Inside a transaction. Nothing in memory is changed, so that it can fail.
 *
 * @param openHour the hour that stays open; null: nothing does.
 */
export function packOpen(
  tables: HistoryTables,
  signals: SignalBook,
  progress: Progress,
  openHour: number | null,
): Packed {
  const left = new Map<HistorySignal, Columns>();
  const pieces: Piece[] = [];
  const rows: HistorySignal[] = [];
  for (const signal of signals.all()) {
    if (signal.isNew || signal.isRowDirty) rows.push(signal);
    for (const piece of byHour(signal)) {
      if (piece.hour === openHour) left.set(signal, piece.columns);
      else pieces.push(piece);
    }
  }
  for (const signal of rows) tables.putSignal(signal.row());
  pieces.sort((a, b) => a.hour - b.hour || a.signal.id - b.signal.id);
  const bytes = { ...progress.bytes };
  for (const piece of pieces) writeHour(tables, progress, piece, bytes);
  writeDays(tables, progress, pieces, bytes);
  tables.clearHead();
  if (left.size > 0) {
    const kept = Array.from(left, ([signal, columns]) => ({
      signalId: signal.id,
      quality: signal.last?.q ?? "uncertain",
      columns,
    }));
    tables.addHead(packHead(kept));
  }
  return { left, rows, bytes };
}

/** A signal's open readings, one piece per hour. */
function* byHour(signal: HistorySignal): Iterable<Piece> {
  if (signal.t.length === 0) return;
  const columns = signal.sorted();
  const last = columns.t.at(-1) ?? 0;
  let from = columns.t[0] ?? 0;
  while (from <= last) {
    const hour = slotOf("raw", from);
    const piece = sliceColumns(columns, hour * HOUR_MS, (hour + 1) * HOUR_MS);
    yield { hour, signal, columns: piece };
    // Straight to the next reading: between two of them may lie years.
    from = sliceColumns(columns, (hour + 1) * HOUR_MS, Number.POSITIVE_INFINITY).t[0] ?? Number.POSITIVE_INFINITY;
  }
}

function writeHour(tables: HistoryTables, progress: Progress, piece: Piece, bytes: Record<Level, number>): void {
  const { hour, signal, columns } = piece;
  const isKept = (level: Level): boolean => hour * HOUR_MS >= progress.fromUnixMs[level];
  if (isKept("raw")) bytes.raw += tables.addRaw(hour, signal.id, columns);
  const buckets = bucketsOf(columns, WIDTH_MS.minutes);
  if (buckets.length > 0 && isKept("minutes")) bytes.minutes += tables.addFigures("minutes", hour, signal.id, buckets);
}

function writeDays(
  tables: HistoryTables,
  progress: Progress,
  pieces: readonly Piece[],
  bytes: Record<Level, number>,
): void {
  const days = new Map<number, Map<HistorySignal, Buckets>>();
  for (const { hour, signal, columns } of pieces) {
    const day = slotOf("hours", hour * HOUR_MS);
    const ofDay = days.get(day) ?? new Map<HistorySignal, Buckets>();
    days.set(day, ofDay);
    ofDay.set(signal, mergeBuckets(ofDay.get(signal) ?? new Buckets(), bucketsOf(columns, WIDTH_MS.hours)));
  }
  for (const [day, ofDay] of [...days].sort(([a], [b]) => a - b)) {
    if ((day + 1) * SLOT_MS.hours <= progress.fromUnixMs.hours) continue;
    for (const [signal, buckets] of [...ofDay].sort(([a], [b]) => a.id - b.id)) {
      if (buckets.length > 0) bytes.hours += tables.addFigures("hours", day, signal.id, buckets);
    }
  }
}
