/**
 * The rate of a counter over the last minutes, for a dashboard that was just opened: one figure per step, in a ring.
 *
 *   counter ──sample every step──▶ (now − before) ÷ time ──▶ [oldest … newest], at most RATES_MAX
 */

/** As often as the live feed tells the status: what is kept here and what a page adds itself are one line. */
export const RATE_STEP_MS = 2000;
/** Five minutes. */
export const RATES_MAX = 150;

/** Call `sample` every `RATE_STEP_MS`; times are monotonic ms. */
export class RateSeries {
  readonly #read: () => number;
  readonly #perSecond: number[] = [];
  #lastCount: number;
  #lastMonoMs: number;

  constructor(read: () => number, nowMonoMs: number) {
    this.#read = read;
    this.#lastCount = read();
    this.#lastMonoMs = nowMonoMs;
  }

  /** Take the counter. By the time that really passed: a step that came late is no peak. */
  sample(nowMonoMs: number): void {
    const spanMs = nowMonoMs - this.#lastMonoMs;
    if (spanMs <= 0) return;
    const count = this.#read();
    const perSecond = ((count - this.#lastCount) * 1000) / spanMs;
    this.#perSecond.push(Math.round(perSecond * 10) / 10);
    if (this.#perSecond.length > RATES_MAX) this.#perSecond.shift();
    this.#lastCount = count;
    this.#lastMonoMs = nowMonoMs;
  }

  /** Rates per second, oldest first; a copy. */
  values(): readonly number[] {
    return [...this.#perSecond];
  }
}
