/** A clock that moves only when a test moves it; due timers run in due order. */
import type { Clock } from "@tidegate/device-sdk";

export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; fn: () => void }[] = [];

  /** How many timers wait: 0 after a clean stop. */
  get timers(): number {
    return this.#timers.length;
  }

  monoMs(): number {
    return this.#nowMs;
  }

  unixMs(): number {
    return 1_760_000_000_000 + this.#nowMs;
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
      const due = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fn();
    }
    this.#nowMs = untilMs;
  }
}
