/** The words of the outbox: its limits, what it tells watchers, its marks, and what a store keeps of it. */
import { SEQ_DRAIN_AT } from "@tidegate/proto";
import type { Entry } from "./seq-queue.js";

/** How much may wait for an ack. What finds no room pushes the oldest telemetry out, and that is announced as a gap. */
export interface OutboxLimits {
  /** Room for telemetry and logs, in bytes, bookkeeping of 64 bytes per message included. */
  readonly bytesMax: number;
  /** Most telemetry and log messages. */
  readonly messagesMax: number;
  /** Room for command updates, in bytes. */
  readonly reservedBytesMax: number;
  /** Most command updates. */
  readonly reservedMessagesMax: number;
  /** From this number on the epoch is drained and left [P-10]. */
  readonly drainAtSeq: number;
}

/** Of a Pi, unless the application says otherwise. */
export const OUTBOX_LIMITS: OutboxLimits = {
  bytesMax: 16 * 1024 * 1024,
  messagesMax: 100_000,
  reservedBytesMax: 256 * 1024,
  reservedMessagesMax: 96,
  drainAtSeq: SEQ_DRAIN_AT,
};

/** Told of everything that enters, leaves or changes its number; at most one of each kind, set by the owner. */
export interface OutboxWatcher {
  appended(entry: Entry): void;
  /** `acked`: durable at the gateway. `dropped`: evicted, or too large for it. */
  removed(entry: Entry, why: "acked" | "dropped"): void;
  /** Number or gap changed. */
  moved(entry: Entry): void;
}

/** Where the numbers stand: what Hello and Heartbeat say. */
export interface OutboxMarks {
  readonly epoch: number;
  readonly closing: boolean;
  readonly nextSeq: number;
  readonly oldest: number;
  readonly ackedSeq: number;
  /** The highest number that the gateway can have heard of [P-3]. */
  readonly ackableSeq: number;
  /** Messages held in this epoch. */
  readonly held: number;
  readonly inFlight: number;
}

/** What a store kept of one epoch. */
export interface SavedQueue {
  /** 0: it was never under an epoch, so never transmitted. */
  readonly epoch: number;
  readonly nextSeq: number;
  readonly tailGap: number;
  readonly ackedSeq: number;
  /** Ascending by number; handed over, not copied. */
  readonly entries: readonly Entry[];
}

/** What a store kept of an outbox; `next` is only looked at when `current` has an epoch. */
export interface SavedOutbox {
  readonly current: SavedQueue;
  readonly next: SavedQueue;
}

const EMPTY_QUEUE: SavedQueue = { epoch: 0, nextSeq: 1, tailGap: 0, ackedSeq: 0, entries: [] };

/** Of a device that never sent anything. */
export const EMPTY_OUTBOX: SavedOutbox = { current: EMPTY_QUEUE, next: EMPTY_QUEUE };
