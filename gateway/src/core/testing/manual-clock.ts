/** A clock that moves only when a test moves it; due timers run in due order. */
import type { Clock, Ticker } from "../clock.js";

export class ManualClock implements Clock, Ticker {
  #nowMs = 1_000_000;
  #unixOffsetMs = 1_700_000_000_000;
  #timers: { at: number; fn: () => void }[] = [];

  monoMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.#unixOffsetMs + this.#nowMs;
  }

  after(afterMs: number, fn: () => void): () => void {
    const timer = { at: this.#nowMs + Math.max(0, afterMs), fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  /** Let `byMs` pass, running what falls due. */
  advance(byMs: number): void {
    const until = this.#nowMs + byMs;
    for (;;) {
      const next = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.fn();
    }
    this.#nowMs = until;
  }

  /** Make the wall clock jump; monotonic time does not notice. */
  jumpUnix(byMs: number): void {
    this.#unixOffsetMs += byMs;
  }

  /** How many timers wait: a stopped thing must leave none. */
  get pending(): number {
    return this.#timers.length;
  }
}
