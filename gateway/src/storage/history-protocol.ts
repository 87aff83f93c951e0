/**
 * What the main thread and the history worker say to each other; questions and answers cross as in worker-protocol.ts.
 */
import type { LiveReading } from "../model/spool.js";

export interface HistoryQuery {
  readonly device: string;
  readonly signal: string;
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  /** Buckets replace readings past this many; 1 … 5,000. */
  readonly pointsMax: number;
}

/**
 * Columns of one signal. `v`: every reading; or, of a signal of texts, the last one of each bucket. `min`, `avg` and
 * `max`: figures of buckets. null marks a gap. `t` is a reading's time or the start of its bucket, which may lie before
 * the range that was asked for.
 */
export interface HistoryColumns {
  readonly unit: string | null;
  /** Width of a bucket; null: readings. */
  readonly bucketMs: number | null;
  /** Unix ms, rising. */
  readonly t: readonly number[];
  readonly v?: readonly (number | string | boolean | null)[];
  readonly min?: readonly (number | null)[];
  readonly avg?: readonly (number | null)[];
  readonly max?: readonly (number | null)[];
  /** The newest reading before the range; null: there is none, or the line breaks behind it. Readings only. */
  readonly before?: { readonly t: number; readonly v: number | string | boolean } | null;
}

export interface LatestOfDevice {
  readonly device: string;
  readonly readings: readonly LiveReading[];
}

/** How far the history is, and its figures since its start. */
export interface HistoryProgress {
  /** Records up to here are in history.db. */
  readonly cursor: number;
  readonly readingCount: number;
  /** Readings left out: measured too long ago, or in the future. */
  readonly outsideCount: number;
  /** Readings left out: their signal was one too many. */
  readonly refusedCount: number;
  /** Records that the spool dropped before they were taken. */
  readonly missedCount: number;
  /** How often a blob of history.db was left out because it meant nothing. */
  readonly damagedCount: number;
  /** Writes that a full disk refused; tried again. */
  readonly refusedWriteCount: number;
  readonly signalCount: number;
  /** Memory of readings that are not packed yet, about. */
  readonly openBytes: number;
  readonly usedBytes: number;
}

/** Calls to the history worker. */
export interface HistoryCalls {
  read: { readonly in: HistoryQuery; readonly out: HistoryColumns };
  latest: { readonly in: null; readonly out: readonly LatestOfDevice[] };
  progress: { readonly in: null; readonly out: HistoryProgress };
  /** Answered when everything is on disk. */
  close: { readonly in: null; readonly out: HistoryProgress };
}

/** What the history is opened with: plain values that can cross to a thread. */
export interface HistoryStart {
  readonly dataDir: string;
  /** How long every reading stays, in ms; its figures stay longer (history-thinning.ts). */
  readonly keepMs: number;
  /** Bytes that the used pages of history.db may take. */
  readonly quotaBytes: number;
}
