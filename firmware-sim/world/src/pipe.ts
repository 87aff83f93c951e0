/**
 * One direction of one TCP connection: messages arrive whole, in order, late, or not at all.
 *
 *   put ─▶ [ in flight: each with its earliest instant ] ─▶ deliver      stall: nothing arrives before an instant
 *                        └─ lose: all of it is gone, the end comes next
 */
import type { Timeline } from "./timeline.js";

export interface PipeFacts {
  readonly timeline: Timeline;
  /** Drawn for every message. */
  latencyMs(): number;
}

interface InFlight {
  readonly readyMs: number;
  readonly deliver: () => void;
}

/** Bounded by what its two ends send: each keeps a window of its own. */
export class Pipe {
  readonly #facts: PipeFacts;
  readonly #waiting: InFlight[] = [];
  #stalledUntilMs = 0;
  #lastReadyMs = 0;
  #cancel: (() => void) | null = null;

  constructor(facts: PipeFacts) {
    this.#facts = facts;
  }

  /** Deliver after everything put before. */
  put(deliver: () => void): void {
    const readyMs = Math.max(this.#lastReadyMs, this.#facts.timeline.nowMs + this.#facts.latencyMs());
    this.#lastReadyMs = readyMs;
    this.#waiting.push({ readyMs, deliver });
    this.#arm();
  }

  /** Nothing arrives before that instant; what was sent meanwhile comes then, late. */
  stallUntil(untilMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, untilMs);
  }

  /** Whatever is in flight is gone. */
  lose(): void {
    this.#waiting.length = 0;
  }

  #arm(): void {
    const next = this.#waiting[0];
    if (this.#cancel !== null || next === undefined) return;
    const atMs = Math.max(next.readyMs, this.#stalledUntilMs);
    // A connection that is stalled for good needs no timer: only its end can come, and that is put elsewhere.
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#facts.timeline.after(atMs - this.#facts.timeline.nowMs, () => {
      this.#cancel = null;
      this.#deliver();
    });
  }

  #deliver(): void {
    const now = this.#facts.timeline.nowMs;
    const next = this.#waiting[0];
    if (next !== undefined && now >= next.readyMs && now >= this.#stalledUntilMs) {
      this.#waiting.shift();
      next.deliver();
    }
    this.#arm();
  }
}
