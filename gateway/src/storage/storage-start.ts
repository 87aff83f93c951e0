/**
 * What the store is opened with: the operator's settings and a few facts, plain values that can cross to a thread.
 */
import type { CommandLimits } from "../spool/command-book.js";

export interface StorageStart {
  readonly dataDir: string;
  /** Bytes the spool's used pages may take. */
  readonly quotaBytes: number;
  readonly whenFull: "block" | "drop-oldest";
  /** The largest window that is given to devices: that many numbers per stream are compared with repeats. */
  readonly windowDigests: number;
  /** The history keeps a cursor, `$history`, and holds records until it has taken them. */
  readonly keepsHistory: boolean;
  /** This boot of the machine: the deadlines of commands are monotonic times of it. */
  readonly bootId: string;
  /** Newest records kept for viewers that reconnect. */
  readonly liveRowsKept?: number;
  readonly commandLimits?: CommandLimits;
  /** The disk wears by writes: small pages in a new file, and cursors and deletions together every few seconds. */
  readonly isGentle?: boolean;
}

export interface ReaderStart {
  readonly dataDir: string;
  /** First level of topics and message ids. */
  readonly gatewayId: string;
}
