/**
 * What a bad line does to bytes, seeded: each byte may be lost, be hit in one bit, or get a stranger before it.
 *
 *   in  48 65 6c 6c 6f
 *   out 48 25 6c · 6f f3      25: a bit of 65 turned · one lost · f3: never sent
 */
import { SeededRandom } from "../random.js";

/** Shares of bytes, each 0 … 1. */
export interface LineErrorRates {
  /** One bit turned. */
  readonly flipped: number;
  readonly lost: number;
  /** A byte that nobody sent comes before it. */
  readonly inserted: number;
}

/** How many bytes were hit so far. */
export interface LineErrorCounts {
  flipped: number;
  lost: number;
  inserted: number;
}

/** A good line. */
export const NO_LINE_ERRORS: LineErrorRates = { flipped: 0, lost: 0, inserted: 0 };

/** One direction of a line. Same seed, same bytes, same faults, however the bytes are cut into chunks. */
export class LineFaults {
  readonly counts: LineErrorCounts = { flipped: 0, lost: 0, inserted: 0 };
  /** May be changed at any time. */
  rates: LineErrorRates;
  readonly #random: SeededRandom;

  constructor(rates: LineErrorRates, seed: number) {
    this.rates = rates;
    this.#random = new SeededRandom(seed);
  }

  /** What arrives of `bytes`; the same array when the line is good. At most twice as long. */
  pass(bytes: Uint8Array): Uint8Array {
    const { flipped, lost, inserted } = this.rates;
    if (flipped + lost + inserted === 0) return bytes;
    const out: number[] = [];
    for (const byte of bytes) this.#hit(byte, out);
    return Uint8Array.from(out);
  }

  #hit(byte: number, out: number[]): void {
    const { flipped, lost, inserted } = this.rates;
    const random = this.#random;
    // One draw decides, so that the shares are exact and a byte suffers one fault at most.
    let draw = random.unit();
    if (draw < inserted) {
      this.counts.inserted += 1;
      out.push(Math.floor(random.unit() * 256), byte);
      return;
    }
    draw -= inserted;
    if (draw < lost) {
      this.counts.lost += 1;
      return;
    }
    draw -= lost;
    if (draw < flipped) {
      this.counts.flipped += 1;
      out.push(byte ^ (1 << Math.floor(random.unit() * 8)));
      return;
    }
    out.push(byte);
  }
}
