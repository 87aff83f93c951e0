/**
 * A rate with a burst: tokens come in steadily, each use takes one. Pure over the time passed in.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledMonoMs: number;

  /** @param perSecond sustained rate. @param burst how many may be taken at once after a rest. */
  constructor(perSecond: number, burst: number, nowMonoMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledMonoMs = nowMonoMs;
  }

  /** Take one token. @returns ms to wait until the debt is paid; 0: within the rate. */
  take(nowMonoMs: number): number {
    this.#fill(nowMonoMs);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** Take one token only if there is one. */
  tryTake(nowMonoMs: number): boolean {
    this.#fill(nowMonoMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #fill(nowMonoMs: number): void {
    const elapsedMs = nowMonoMs - this.#filledMonoMs;
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
    this.#filledMonoMs = nowMonoMs;
  }
}
