/** Chance that repeats: the same seed, the same run (xorshift32, Marsaglia 2003). */
import type { Random } from "../random.js";

export class SeededRandom implements Random {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed >>> 0 || 1;
  }

  unit(): number {
    return this.nonce() / 2 ** 32;
  }

  nonce(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state;
  }
}
