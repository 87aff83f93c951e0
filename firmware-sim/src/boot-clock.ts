/**
 * The clocks of one boot of a virtual device: the machine's, with what is wrong about them.
 *
 *   unixMs    the machine's + `unixSkewMs`            a device whose clock was set wrongly
 *   monoMs    the machine's + what `age` added        an uptime counter that is about to wrap at 2^32
 */
import type { Clock } from "@tidegate/device-sdk";

/** A clock of one boot on top of another clock; timers go by the other one. */
export class BootClock implements Clock {
  readonly #base: Clock;
  readonly #unixSkewMs: number;
  #agedMs = 0;

  /** @param unixSkewMs how far this device's wall clock is ahead of the machine's */
  constructor(base: Clock, unixSkewMs = 0) {
    this.#base = base;
    this.#unixSkewMs = unixSkewMs;
  }

  monoMs(): number {
    return this.#base.monoMs() + this.#agedMs;
  }

  unixMs(): number {
    return this.#base.unixMs() + this.#unixSkewMs;
  }

  after(afterMs: number, fn: () => void): () => void {
    return this.#base.after(afterMs, fn);
  }

  /** As if it had been running for `byMs` longer. Call between the construction of a device and its start. */
  age(byMs: number): void {
    this.#agedMs += byMs;
  }
}
