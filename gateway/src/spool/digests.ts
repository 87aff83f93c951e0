/**
 * Digests of the last numbers of one stream, so that a repeat can be told from a conflict without reading the disk.
 *
 *   slot = seq mod size     [ seq, crc ] [ seq, crc ] …     16 numbers take 128 bytes
 *
 * In memory only: after a restart the first window cannot be compared, and a repeat then counts as a duplicate.
 */

/** Comparison of a repeat with what was stored. */
export type Comparison = "same" | "different" | "unknown";

/** The last numbers of one stream with the CRC-32 of their bodies; older ones fall out. */
export class DigestWindow {
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /** @param size how many numbers to remember; rounded up to a power of two, 1 … 65,536. */
  constructor(size: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.min(Math.max(1, size), 65_536)));
    this.#slots = new Uint32Array(slots * 2);
    this.#mask = slots - 1;
  }

  remember(seq: number, crc: number): void {
    const at = (seq & this.#mask) * 2;
    this.#slots[at] = seq;
    this.#slots[at + 1] = crc;
  }

  compare(seq: number, crc: number): Comparison {
    const at = (seq & this.#mask) * 2;
    if (this.#slots[at] !== seq) return "unknown";
    return this.#slots[at + 1] === crc ? "same" : "different";
  }
}
