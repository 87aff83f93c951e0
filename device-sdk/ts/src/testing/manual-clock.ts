/** A clock that moves only when a test moves it; due timers run in due order. */
import type { Clock } from "../clock.js";

export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; fn: () => void }[] = [];
  /** Unix time at monotonic 0; a test may make it jump. */
  unixAtZeroMs = 1_700_000_000_000;

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** How many timers wait: 0 after a clean stop. */
  get timers(): number {
    return this.#timers.length;
  }

  monoMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return this.unixAtZeroMs + this.#nowMs;
  }

  after(afterMs: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + afterMs, fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fn();
    }
    this.#nowMs = untilMs;
  }
}
