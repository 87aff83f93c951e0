/**
 * Tells a cloned identity from a device that reconnects [P-14].
 *
 * A device whose link flaps says Hello with one boot nonce; one that reboots brings a new nonce each time. Two
 * devices that hold one identity take the session from each other in turns: a nonce comes back that another one had
 * replaced. More than three such returns within a minute mean a clone.
 */

const WINDOW_MS = 60_000;
/** How long a cloned identity stays locked out; long enough to be seen, short enough to heal after the fix. */
export const CLONE_QUARANTINE_MS = 300_000;
/** Nonces remembered per device: a clone needs two; more would only be reboots. */
const NONCES_KEPT = 4;

/** One per device; times are monotonic ms. */
export class CloneGuard {
  readonly #returnsMax: number;
  #replaced: number[] = [];
  #current = 0;
  #returnsAtMs: number[] = [];
  #quarantinedUntilMs = Number.NEGATIVE_INFINITY;

  /** @param returnsMax returns within a minute that are still taken for something else. */
  constructor(returnsMax: number) {
    this.#returnsMax = returnsMax;
  }

  /**
   * A Hello came in. @returns ms for which the identity is locked out; 0: welcome.
   */
  hello(bootNonce: number, nowMonoMs: number): number {
    if (nowMonoMs < this.#quarantinedUntilMs) return Math.ceil(this.#quarantinedUntilMs - nowMonoMs);
    if (bootNonce === this.#current) return 0;
    if (this.#replaced.includes(bootNonce)) this.#countReturn(nowMonoMs);
    if (this.#current !== 0) this.#replaced = [this.#current, ...this.#replaced].slice(0, NONCES_KEPT);
    this.#current = bootNonce;
    if (this.#returnsAtMs.length <= this.#returnsMax) return 0;
    this.#returnsAtMs = [];
    this.#quarantinedUntilMs = nowMonoMs + CLONE_QUARANTINE_MS;
    return CLONE_QUARANTINE_MS;
  }

  #countReturn(nowMonoMs: number): void {
    this.#returnsAtMs = this.#returnsAtMs.filter((at) => nowMonoMs - at < WINDOW_MS);
    this.#returnsAtMs.push(nowMonoMs);
  }
}
