/**
 * Chance that repeats: one seed, one run. Fleets, faults and signal models draw from here and from nowhere else.
 *
 *   SeededRandom   a stream of numbers, for schedules and jitter
 *   hashUnit       a number for a place (seed, lane, index), for models that may be asked about any instant
 */
import { type Random, SystemRandom } from "@tidegate/device-sdk";

const U32 = 2 ** 32;

/** Spreads the bits of a 32-bit number; a bijection (the finaliser of MurmurHash3, public domain). */
function spread(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A number in [0, 1) that belongs to a place: the same three numbers always give the same one.
 *
 * @param lane keeps independent uses of one seed apart
 * @param index any whole number, also past 2^32
 */
export function hashUnit(seed: number, lane: number, index: number): number {
  const low = index >>> 0;
  const high = Math.floor(index / U32) >>> 0;
  return spread(spread(spread(spread(seed) ^ lane) ^ high) ^ low) / U32;
}

/** The seed of part `index` of something seeded: device 7 of fleet 1. A whole number in 1 … 2^32 − 1. */
export function childSeed(seed: number, index: number): number {
  return Math.floor(hashUnit(seed, 0x5eed, index) * (U32 - 1)) + 1;
}

/** A stream of numbers (mulberry32). */
export class SeededRandom implements Random {
  #state: number;

  /** @param seed a whole number; the same one, the same stream */
  constructor(seed: number) {
    this.#state = spread(seed);
  }

  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / U32;
  }

  nonce(): number {
    return Math.floor(this.unit() * (U32 - 1)) + 1;
  }
}

/**
 * Jitter from a seed, boot nonces from the system. A second run with the same seed is another life of the same devices:
 * with the same nonces the gateway would take it for the same boot.
 */
export class DeviceRandom implements Random {
  readonly #jitter: SeededRandom;
  readonly #system = new SystemRandom();

  constructor(seed: number) {
    this.#jitter = new SeededRandom(seed);
  }

  unit(): number {
    return this.#jitter.unit();
  }

  nonce(): number {
    return this.#system.nonce();
  }
}
