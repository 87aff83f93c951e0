/**
 * The history's engine: follows the spool, keeps the newest readings in memory and everything on disk, answers
 * questions. Synchronous, in one thread, under the caller's clock.
 *
 *   spool ─▶ open readings ──flush, every 10 s──▶ head ──packing, each hour──▶ raw, minutes, hours ─▶ thinned
 *
 * Packing and thinning go a small step each turn: a question waits for one of them, never for an hour's worth.
 * Each transaction holds the cursor too, so that after a crash nothing is missing and nothing is there twice: what was
 * not flushed is read from the spool again, which keeps it until the flushed cursor is reported.
 */

import type { Database } from "better-sqlite3";
import type { Clock } from "../core/clock.js";
import type { StoredRecord } from "../model/record.js";
import { HistoryHead, type PendingHead } from "./history-head.js";
import { HistoryIntake } from "./history-intake.js";
import { HOUR_MS, slotOf } from "./history-levels.js";
import { HistoryPacking } from "./history-packing.js";
import type { HistoryColumns, HistoryProgress, HistoryQuery, LatestOfDevice } from "./history-protocol.js";
import { HistoryQuestions } from "./history-questions.js";
import { SignalBook } from "./history-signals.js";
import { HistoryTables, type Progress } from "./history-tables.js";
import type { SpoolTail } from "./history-tail.js";
import { HistoryThinning, KEEP_FACTOR, type ThinningOptions } from "./history-thinning.js";
import { failureOf } from "./sqlite-error.js";

export interface HistoryEngineOptions extends ThinningOptions {
  /** Signals kept per device, and in all. */
  readonly signalsPerDeviceMax?: number;
  readonly signalsMax?: number;
  /** Bytes of open readings that lead to a packing before its time. */
  readonly openBytesMax?: number;
}

/** Between two flushes, in ms: one row of the head and one page of progress each. Readers see memory, so none waits. */
export const FLUSH_MS = 10_000;

/** A packing comes this long after the hour, for readings that are on their way. */
const PACK_DELAY_MS = 30_000;

/** The first packing after a start, for hours that ended before. */
const FIRST_PACK_MS = 60_000;

/** Longest stretch of following in one turn, so that questions come through. */
const FOLLOW_MS_MAX = 50;

const SIGNALS_PER_DEVICE_MAX = 1_000;
const SIGNALS_MAX = 100_000;
/** Half a million readings. */
const OPEN_BYTES_MAX = 16 * 1024 * 1024;

/** All of the history but its thread: one turn, one question at a time. */
export class HistoryEngine {
  readonly #tables: HistoryTables;
  readonly #tail: SpoolTail;
  readonly #clock: Clock;
  readonly #openBytesMax: number;
  readonly #signals: SignalBook;
  readonly #intake: HistoryIntake;
  readonly #thinning: HistoryThinning;
  readonly #questions: HistoryQuestions;
  readonly #progress: Progress;
  #openBytes = 0;
  #packing: HistoryPacking | null = null;
  #thinningSteps: Iterator<void, void> | null = null;
  readonly #head: HistoryHead;
  /** After a refused write: not before. */
  #retryAt = 0;
  /** What the last transaction said. */
  #flushedCursor: number;
  #flushAt: number;
  #packAt: number;
  #missedCount = 0;
  #refusedWriteCount = 0;

  /** @param db history.db, opened. */
  constructor(db: Database, tail: SpoolTail, options: HistoryEngineOptions) {
    const { clock } = options;
    this.#tables = new HistoryTables(db);
    this.#tail = tail;
    this.#clock = clock;
    this.#openBytesMax = options.openBytesMax ?? OPEN_BYTES_MAX;
    this.#head = new HistoryHead(this.#tables);
    this.#signals = new SignalBook(this.#tables.signals(), this.#tables.lastSignalId(), {
      signalsPerDeviceMax: options.signalsPerDeviceMax ?? SIGNALS_PER_DEVICE_MAX,
      signalsMax: options.signalsMax ?? SIGNALS_MAX,
    });
    this.#intake = new HistoryIntake(this.#signals, options.keepMs * KEEP_FACTOR.hours);
    this.#thinning = new HistoryThinning(this.#tables, this.#signals, options);
    this.#progress = this.#tables.progress();
    this.#flushedCursor = this.#progress.cursor;
    this.#questions = new HistoryQuestions(this.#tables, this.#signals, this.#progress);
    this.#openBytes = this.#head.read(this.#signals);
    this.#meetStore();
    this.#flushAt = clock.monoMs() + FLUSH_MS;
    this.#packAt = clock.monoMs() + FIRST_PACK_MS;
  }

  /**
   * One turn: follow the spool for a while, then write a step of what is due. Called about once a second, and again
   * at once while it answers true. Throws what SQLite says, except that the disk is full or the file is busy: it tries
   * that again later.
   */
  tick(): boolean {
    const more = this.#follow();
    const now = this.#clock.monoMs();
    if (now >= this.#retryAt) this.#attempt(() => this.#write(now));
    const isBusy = (this.#packing !== null || this.#thinningSteps !== null) && now >= this.#retryAt;
    return isBusy || (more && this.#openBytes < this.#openBytesMax);
  }

  /** The next step of what has begun, else what is due. */
  #write(now: number): void {
    if (this.#packing !== null) this.#packSlice(this.#packing);
    else if (this.#openBytes >= this.#openBytesMax) this.#beginPacking(null);
    else if (this.#thinningSteps !== null) this.#thinStep(this.#thinningSteps);
    else if (now >= this.#packAt) this.#beginPacking(slotOf("raw", this.#clock.unixMs()));
    else if (now >= this.#flushAt) this.flush();
  }

  /** One question, over everything that is in the spool now. */
  read(query: HistoryQuery): HistoryColumns {
    this.#follow();
    return this.#questions.read(query);
  }

  /** The newest reading of every signal. */
  latest(): LatestOfDevice[] {
    return this.#questions.latest();
  }

  /** Everything up to `cursor` is in history.db; and the figures for the metrics. */
  progress(): HistoryProgress {
    return {
      cursor: this.#flushedCursor,
      readingCount: this.#intake.readingCount,
      outsideCount: this.#intake.outsideCount,
      refusedCount: this.#signals.refusedCount,
      missedCount: this.#missedCount,
      damagedCount: this.#tables.damagedCount,
      refusedWriteCount: this.#refusedWriteCount,
      signalCount: this.#signals.count,
      openBytes: this.#openBytes,
      usedBytes: this.#tables.usedBytes(),
    };
  }

  /** Write what is only in memory. */
  flush(): void {
    this.#flushAt = this.#clock.monoMs() + FLUSH_MS;
    if (this.#flushedCursor === this.#progress.cursor) return;
    this.#flushed(this.#tables.transaction(() => this.#head.put(this.#signals, this.#progress)));
  }

  /** That transaction is committed. */
  #flushed(pending: PendingHead): void {
    this.#flushedCursor = this.#progress.cursor;
    this.#head.committed(pending);
  }

  /** In order: what is in memory is written. The caller closes the file. */
  close(): void {
    this.flush();
    this.#tail.close();
  }

  /** As after a kill. */
  abandon(): void {
    this.#tail.close();
  }

  /** Take records until there are none, time is over, or memory is full. @returns whether more may follow at once. */
  #follow(): boolean {
    const until = this.#clock.monoMs() + FOLLOW_MS_MAX;
    for (;;) {
      const { records, scannedToId } = this.#tail.read(this.#progress.cursor);
      if (scannedToId === this.#progress.cursor) return false;
      this.#noteMissed(records[0]);
      for (const record of records) {
        // After each record: one may hold tens of thousands of readings.
        if (this.#openBytes >= this.#openBytesMax || this.#clock.monoMs() >= until) return true;
        this.#take(record);
        this.#progress.cursor = record.id;
      }
      this.#progress.cursor = scannedToId;
    }
  }

  #take(record: StoredRecord): void {
    const { knownToId, knownUnixMs, seenUnixMs } = this.#progress;
    if (record.id <= knownToId && record.receivedUnixMs <= knownUnixMs) return;
    this.#openBytes += this.#intake.take(record, this.#tail.catalog(record.catalog));
    this.#progress.seenUnixMs = Math.max(seenUnixMs, record.receivedUnixMs);
  }

  /** Records went before they were taken (the spool was full): nobody knows whose, so every line breaks off. */
  #noteMissed(first: StoredRecord | undefined): void {
    const { cursor } = this.#progress;
    if (first === undefined || cursor === 0 || first.id === cursor + 1) return;
    this.#missedCount += first.id - cursor - 1;
    for (const signal of this.#signals.all()) this.#openBytes += signal.breakOff();
  }

  /** @param openHour stays open, and all after it; null: memory is full, so nothing does. */
  #beginPacking(openHour: number | null): void {
    this.flush();
    this.#packing = new HistoryPacking(this.#tables, this.#signals, this.#progress, openHour);
    const untilNextHour = HOUR_MS - (this.#clock.unixMs() % HOUR_MS);
    if (openHour !== null) this.#packAt = this.#clock.monoMs() + untilNextHour + PACK_DELAY_MS;
  }

  #packSlice(packing: HistoryPacking): void {
    const done = this.#tables.transaction(() => {
      const pending = this.#head.put(this.#signals, this.#progress);
      const slice = packing.slice(pending.headId ?? this.#head.newestId);
      this.#tables.putProgress({ ...this.#progress, bytes: slice.bytes });
      return { pending, slice };
    });
    this.#flushed(done.pending);
    Object.assign(this.#progress.bytes, done.slice.bytes);
    this.#openBytes -= packing.applied(done.slice);
    if (!packing.isDone) return;
    this.#packing = null;
    this.#head.dropPacked(this.#signals, packing.beforeHour);
    this.#thinningSteps = this.#thinning.steps(this.#progress);
  }

  #thinStep(steps: Iterator<void, void>): void {
    this.flush();
    if (steps.next().done === true) this.#thinningSteps = null;
  }

  /** Disk full or file busy: everything stays in memory, and in the spool. */
  #attempt(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure !== "full" && failure !== "busy") throw thrown;
      this.#refusedWriteCount += 1;
      this.#thinningSteps = null;
      this.#retryAt = this.#clock.monoMs() + FLUSH_MS;
    }
  }

  /** Another incarnation of the spool numbers its records anew. */
  #meetStore(): void {
    const store = this.#tail.storeId();
    const { oldestId, lastId } = this.#tail.bounds();
    const progress = this.#progress;
    if (store !== progress.store) {
      const isFirst = progress.store === "";
      progress.store = store;
      progress.cursor = isFirst ? 0 : oldestId - 1;
      progress.knownToId = isFirst ? 0 : lastId;
      progress.knownUnixMs = progress.seenUnixMs;
      this.#flushedCursor = progress.cursor;
      this.#tables.transaction(() => this.#tables.putProgress(progress));
    }
    progress.cursor = Math.min(progress.cursor, lastId);
  }
}
