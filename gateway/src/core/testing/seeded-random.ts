/** A repeatable source of randomness for tests: xorshift32 from a seed. Never for secrets. */
import type { Random } from "../random.js";

export class SeededRandom implements Random {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed >>> 0 || 0x9e3779b9;
  }

  u32(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  unit(): number {
    return this.u32() / 2 ** 32;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u32() >>> 24);
  }
}
