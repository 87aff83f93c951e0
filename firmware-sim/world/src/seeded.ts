/**
 * The world's only source of chance: one seed, one sequence, so that a run can be had again.
 *
 * The generator is sfc32 (C. Doty-Humphrey, PractRand; public domain): 128 bits of state, good enough for choices.
 */

/** Serves the gateway's `Random` and the SDK's `Random` alike. */
export class Seeded {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: number) {
    this.#a = Math.imul(seed, 0x9e3779b1) | 0;
    this.#b = (seed ^ 0x85ebca6b) | 0;
    this.#c = 0xc2b2ae35 | 0;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** Uniform in 0 … 2^32 − 1. */
  u32(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Uniform in [0, 1). */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** Uniform in 1 … 2^32 − 1. */
  nonce(): number {
    return this.u32() || 1;
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.u32() & 0xff);
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A whole number, both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.unit() * (max - min + 1));
  }

  /** Between the ends, every power of ten equally likely: for rates and durations. */
  spread(min: number, max: number): number {
    return min * (max / min) ** this.unit();
  }

  /** Exponential with that mean: the time to the next of events that know nothing of one another. */
  waitMs(meanMs: number): number {
    return -Math.log(1 - this.unit()) * meanMs;
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[this.between(0, list.length - 1)] ?? list[0];
  }

  /** A sequence of its own: what one party draws does not shift what another draws. */
  fork(): Seeded {
    return new Seeded(this.u32());
  }
}
