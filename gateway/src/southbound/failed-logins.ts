/**
 * Counts wrong credentials per address and locks an address out for a while, so that guessing costs the guesser.
 * Tokens have 256 bits: this is about noise and load, not about their strength.
 */
const WINDOW_MS = 60_000;
/** Addresses remembered; when full the book starts anew, which only forgives. */
const ADDRESSES_MAX = 10_000;

/** Wrong credentials per address; times are monotonic ms. */
export class FailedLogins {
  readonly #failures = new Map<string, { count: number; sinceMonoMs: number }>();
  readonly #failuresMax: number;

  /** @param failuresMax wrong credentials per minute and address; above it the address waits. */
  constructor(failuresMax: number) {
    this.#failuresMax = failuresMax;
  }

  failed(address: string, nowMonoMs: number): void {
    const known = this.#failures.get(address);
    if (known !== undefined && nowMonoMs - known.sinceMonoMs < WINDOW_MS) {
      known.count += 1;
      return;
    }
    if (this.#failures.size >= ADDRESSES_MAX) this.#failures.clear();
    this.#failures.set(address, { count: 1, sinceMonoMs: nowMonoMs });
  }

  lockedOut(address: string, nowMonoMs: number): boolean {
    const known = this.#failures.get(address);
    if (known === undefined) return false;
    if (nowMonoMs - known.sinceMonoMs >= WINDOW_MS) {
      this.#failures.delete(address);
      return false;
    }
    return known.count >= this.#failuresMax;
  }
}
