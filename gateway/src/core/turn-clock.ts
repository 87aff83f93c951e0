/**
 * Both clocks, read once per turn of the event loop: what arrived together was received at one instant.
 *
 *   turn:  first reading ─▶ asks the system, keeps both ─▶ … ─▶ Ticker.soon: forgets
 *
 * For stamping thousands of frames a turn. Both values are from the same instant, so their difference is exact. Not for
 * measuring: within a long turn it stands still, and a round trip or a deadline would come out too short.
 */
import type { Clock, Ticker } from "./clock.js";

/** The two readings of a clock. */
export type Instants = Pick<Clock, "monoMs" | "unixMs">;

/** One per user of a `Clock`; keeps no timer beyond the turn. */
export class TurnClock implements Instants {
  readonly #clock: Clock & Ticker;
  readonly #forget = (): void => {
    this.#isKnown = false;
  };
  #isKnown = false;
  #monoMs = 0;
  #unixMs = 0;

  constructor(clock: Clock & Ticker) {
    this.#clock = clock;
  }

  monoMs(): number {
    if (!this.#isKnown) this.#read();
    return this.#monoMs;
  }

  unixMs(): number {
    if (!this.#isKnown) this.#read();
    return this.#unixMs;
  }

  #read(): void {
    this.#isKnown = true;
    this.#monoMs = this.#clock.monoMs();
    this.#unixMs = this.#clock.unixMs();
    this.#clock.soon(this.#forget);
  }
}
