/**
 * What leaves the spool: records that everybody has taken, the oldest ones when the quota says drop, and those that one
 * sink may no longer hold back. Every call is one bounded slice inside the caller's transaction.
 *
 *   oldest                 $history      slowest sink          newest − kept          last
 *     ├──── deletable ────────┤               │                     │                  │
 *     └──── over quota: deletable ────────────┘          (kept for viewers that reconnect)
 */
import { RecordKind } from "../model/record.js";
import { type LossReason, type LostRecord, lossOf } from "../spool/dropped-runs.js";
import { writeGap, writeGapRecord } from "../spool/gap-writer.js";
import type { Cursors } from "./cursors.js";
import type { CursorRow } from "./cursors-table.js";
import type { QuarantineDraft } from "./quarantine-table.js";
import { RunningAge } from "./running-age.js";
import type { Space } from "./space.js";
import type { SqlSpoolTables } from "./spool-tables.js";

/** Records looked at in one slice of dropping or skipping. */
const SLICE_COUNT = 2_000;

/** Where the line of running-age.ts is kept. */
const AGE_KEY = "recordAge";

export interface RetentionOptions {
  /** Newest records kept for viewers that reconnect. */
  readonly liveRowsKept: number;
  /** The monotonic clock now. */
  readonly startedMonoMs: number;
}

/** Decides and performs what leaves the spool, one slice per call, inside a transaction of the caller. */
export class Retention {
  readonly #tables: SqlSpoolTables;
  readonly #cursors: Cursors;
  readonly #space: Space;
  readonly #liveRowsKept: number;
  readonly #age: RunningAge;
  #oldestId = 1;
  /** The last id of the oldest block: until everybody is beyond it, nothing can be deleted. 0: there was none. */
  #oldestEndId = 0;
  /** Command outcomes that were dropped unsent, since start. */
  droppedOutcomeCount = 0;
  droppedRecordCount = 0;

  constructor(tables: SqlSpoolTables, cursors: Cursors, space: Space, options: RetentionOptions) {
    this.#tables = tables;
    this.#cursors = cursors;
    this.#space = space;
    this.#liveRowsKept = options.liveRowsKept;
    this.#age = new RunningAge(tables.cursors.meta(AGE_KEY), options.startedMonoMs);
    this.#lookAgain();
  }

  /** The lowest id stored; lastId + 1 when there is none. */
  get oldestId(): number {
    return this.#oldestId;
  }

  /** A transaction was undone: what was deleted in it is there again. */
  rolledBack(): void {
    this.#lookAgain();
  }

  /** Highest id that may be deleted now. `urgent`: space is short, so history and viewers do not count. */
  deletableTo(lastId: number, urgent: boolean): number {
    if (!this.#cursors.isOpen) return 0;
    const taken = this.#cursors.heldFrom(lastId, !urgent);
    return urgent ? taken : Math.min(taken, lastId - this.#liveRowsKept);
  }

  /**
   * Delete the blocks that everybody has taken, about `countMax` records of them.
   *
   * @returns how many records went.
   */
  trim(lastId: number, countMax: number, urgent = false): number {
    const { records } = this.#tables;
    const deletableTo = this.deletableTo(lastId, urgent);
    if (deletableTo < this.#oldestId) return 0;
    if (this.#oldestEndId === 0) this.#lookAgain();
    if (deletableTo < this.#oldestEndId) return 0;
    const from = this.#oldestId;
    // At least one block, however large.
    if (records.deleteTo(Math.min(deletableTo, Math.max(from + countMax - 1, this.#oldestEndId)))) this.#lookAgain();
    return this.#oldestId - from;
  }

  /**
   * Drop the oldest records, taken or not, until there is room for `needBytes` or nothing is left; every dropped
   * number becomes a gap entry, in the same transaction.
   */
  dropOldest(lastId: number, needBytes: number, atUnixMs: number): void {
    while (this.#space.lacksPages(needBytes) && this.#oldestId <= lastId) {
      const heads = this.#tables.records.oldestBlocks(SLICE_COUNT);
      const last = heads.at(-1);
      if (last === undefined) return;
      this.#tell(heads, { reason: "dropped", sink: null, atUnixMs });
      this.#tables.records.deleteTo(last.id);
      this.droppedRecordCount += heads.length;
      this.#lookAgain();
    }
  }

  /**
   * Let sinks go on that have held records for longer, or more of them, than their configuration allows: one slice for
   * each, with gap entries for that sink alone. Age is time that this gateway has run: wall time never expires.
   *
   * @returns cursors to move once the transaction is durable.
   */
  skipHeld(lastId: number, nowUnixMs: number, monoMs: number): { readonly sink: string; readonly recordId: number }[] {
    const moved: { sink: string; recordId: number }[] = [];
    this.#noteAge(lastId, monoMs);
    for (const row of this.#cursors.rows()) {
      if (row.isOrphaned || (row.holdMaxAgeMs === null && row.holdMaxBytes === null)) continue;
      const skipTo = Math.max(this.#tooOldTo(row, monoMs), this.#tooManyTo(row, lastId));
      if (skipTo <= row.cursor) continue;
      const skipped = this.#tables.records.heads(row.cursor, Math.min(skipTo, lastId), SLICE_COUNT);
      // A skipped gap record is told again behind the others: a stretch of nothing else would go round for ever.
      if (skipped.every(({ kind }) => kind === RecordKind.gap)) continue;
      this.#tell(skipped, { reason: "sinkHold", sink: row.sink, atUnixMs: nowUnixMs });
      moved.push({ sink: row.sink, recordId: skipped.at(-1)?.id ?? row.cursor });
    }
    return moved;
  }

  /** The last record that is too old for this sink; 0 when none is. */
  #tooOldTo(row: CursorRow, monoMs: number): number {
    return row.holdMaxAgeMs === null ? 0 : this.#age.olderThan(row.holdMaxAgeMs, monoMs);
  }

  /** The last record that is one too many for this sink; 0 when none is. */
  #tooManyTo(row: CursorRow, lastId: number): number {
    return row.holdMaxBytes === null ? 0 : Math.floor(lastId - row.holdMaxBytes / this.#tables.records.averageBytes());
  }

  /** Ages are only kept where somebody asks for them. */
  #noteAge(lastId: number, monoMs: number): void {
    for (const row of this.#cursors.rows()) {
      if (row.isOrphaned || row.holdMaxAgeMs === null) continue;
      this.#age.note(lastId, monoMs);
      break;
    }
    if (!this.#age.isDirty) return;
    this.#tables.cursors.putMeta(AGE_KEY, this.#age.text);
    this.#age.kept();
  }

  #tell(lost: readonly LostRecord[], why: LossReason): void {
    const loss = lossOf(lost, why);
    for (const gap of loss.permanent) this.#tables.addGap(gap);
    for (const gap of loss.inBand) writeGapRecord(this.#tables, gap);
    this.droppedOutcomeCount += loss.outcomeCount;
  }

  #lookAgain(): void {
    const { records } = this.#tables;
    const block = records.oldestBlock();
    this.#oldestId = block?.firstId ?? records.lastId() + 1;
    this.#oldestEndId = block?.lastId ?? 0;
  }

  /** A record that one sink (or, with an empty name, any sink) never gets: on the list, with its gap entry. */
  quarantine(draft: Pick<QuarantineDraft, "recordId" | "sink" | "reason" | "atUnixMs" | "message">): boolean {
    const head = this.#tables.records.head(draft.recordId);
    if (head === null) return false;
    const { deviceKey, epoch, seq, kind } = head;
    const isNew = this.#tables.quarantine.add({ ...draft, deviceKey, epoch, seq });
    // A gap is on the list already; telling a sink of it once more, which has refused to hear of it, would never end.
    if (!isNew || seq === 0 || kind === RecordKind.gap) return isNew;
    const { sink, atUnixMs } = draft;
    const gap = { deviceKey, epoch, fromSeq: seq, toSeq: seq, reason: "quarantined", atUnixMs } as const;
    writeGap(this.#tables, { ...gap, sink: sink === "" ? null : sink });
    return true;
  }
}
