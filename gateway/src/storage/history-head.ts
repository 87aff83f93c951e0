/**
 * The head: readings that are on disk and not packed yet, one row for each flush. Read back at a start.
 *
 *   row 17 │ d1: 3 readings │ d2: 10 …         row 18 │ d1: 2 …        a row goes when all of its readings are packed
 *           └ of these, packed: before hour h, in rows up to 17        (table `packed`, by signal)
 */
import { DamagedBlob } from "./history-bytes.js";
import { HOUR_MS } from "./history-levels.js";
import { type HeadPiece, type HistorySignal, packHead, type SignalBook, unpackHead } from "./history-signals.js";
import type { HistoryTables, PackedMark, Progress } from "./history-tables.js";

/** What a flush has put into the head; to be applied once it is committed. */
export interface PendingHead {
  readonly signals: readonly HistorySignal[];
  /** Null: nothing was pending. */
  readonly headId: number | null;
  /** When the newest reading of the row was, in Unix ms. */
  readonly newestMs: number;
}

/** The rows of the head, and when the newest reading in each was. */
export class HistoryHead {
  readonly #tables: HistoryTables;
  readonly #rows = new Map<number, number>();

  constructor(tables: HistoryTables) {
    this.#tables = tables;
  }

  /** 0: there is none. */
  get newestId(): number {
    return Math.max(0, ...this.#rows.keys());
  }

  /** Inside a transaction: what is only in memory goes into a row, and the progress with it. */
  put(signals: SignalBook, progress: Progress): PendingHead {
    const pending = [...signals.all()].filter((signal) => signal.hasPending);
    for (const signal of pending) if (signal.isNew) this.#tables.putSignal(signal.row());
    let newestMs = 0;
    const pieces = pending.map((signal) => {
      const columns = { t: signal.t.slice(signal.headCount), v: signal.v.slice(signal.headCount) };
      newestMs = columns.t.reduce((newest, t) => Math.max(newest, t), newestMs);
      return { signalId: signal.id, quality: signal.last?.q ?? "uncertain", columns };
    });
    const headId = pieces.length > 0 ? this.#tables.addHead(packHead(pieces)) : null;
    this.#tables.putProgress(progress);
    return { signals: pending, headId, newestMs };
  }

  /** That transaction is committed. */
  committed({ signals, headId, newestMs }: PendingHead): void {
    if (headId !== null) this.#rows.set(headId, newestMs);
    for (const signal of signals) {
      signal.headCount = signal.t.length;
      signal.isNew = false;
    }
  }

  /** Rows all of whose readings are packed go: no signal has anything open before that hour. */
  dropPacked(signals: SignalBook, beforeHour: number): void {
    let endMs = beforeHour * HOUR_MS;
    for (const { t } of signals.all()) endMs = t.reduce((oldest, at) => Math.min(oldest, at), endMs);
    const gone = [...this.#rows].filter(([, newestMs]) => newestMs < endMs).map(([id]) => id);
    this.#tables.transaction(() => this.#tables.dropHeads(gone));
    for (const id of gone) this.#rows.delete(id);
  }

  /** What the run before had not packed becomes open again. @returns the bytes of memory it takes */
  read(signals: SignalBook): number {
    const packed = this.#tables.packed();
    let bytes = 0;
    for (const { id, body } of this.#tables.heads()) {
      this.#rows.set(id, 0);
      try {
        for (const piece of unpackHead(body)) {
          const signal = signals.byId(piece.signalId);
          if (signal !== undefined) bytes += this.#readPiece(piece, { signal, id, mark: packed.get(signal.id) });
        }
      } catch (thrown) {
        if (!(thrown instanceof DamagedBlob)) throw thrown;
        this.#tables.damagedCount += 1;
      }
    }
    return bytes;
  }

  #readPiece(
    { quality, columns }: HeadPiece,
    { signal, id, mark }: { signal: HistorySignal; id: number; mark: PackedMark | undefined },
  ): number {
    const packedMs = mark !== undefined && id <= mark.headId ? mark.beforeHour * HOUR_MS : Number.NEGATIVE_INFINITY;
    let bytes = 0;
    columns.t.forEach((t, i) => {
      this.#rows.set(id, Math.max(this.#rows.get(id) ?? 0, t));
      if (t < packedMs) return;
      const v = columns.v[i] ?? null;
      bytes += signal.add(t, v);
      if (v === null || t < (signal.last?.t ?? 0)) return;
      signal.last = { t, v, q: quality };
      signal.isRowDirty = true;
    });
    signal.headCount = signal.t.length;
    return bytes;
  }
}
