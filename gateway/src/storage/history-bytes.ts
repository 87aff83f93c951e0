/**
 * Packs whole numbers of a column into few bytes, and reads them back without trusting them.
 *
 *   varint   7 bits a byte, low first, top bit: more follows           0 … 2^53 − 1
 *   zigzag   0, −1, 1, −2 … as 0, 1, 2, 3 … then varint
 *   ints     each as the difference to the one before, zigzag;  a run of equal ones: 0, its length − 1
 */

/** Whole numbers beyond ±this are not packed: zigzag and a difference must stay exact. */
export const PACKED_MAX = 2 ** 50;

/** The bytes of a blob do not mean anything: bit rot. The blob is left out, and counted. */
export class DamagedBlob extends Error {}

/** Grows as it is written to. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #used = 0;

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#used++] = value;
  }

  varint(value: number): void {
    // An infinite one would be divided for ever.
    if (!(value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} cannot be packed`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#used++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#used++] = rest;
  }

  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  f64(value: number): void {
    this.#reserve(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#used, value, true);
    this.#used += 8;
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#used);
    this.#used += value.length;
  }

  /** Whole numbers within ±PACKED_MAX. */
  ints(values: readonly number[]): void {
    let before = 0;
    let repeats = 0;
    for (const value of values) {
      if (value === before) {
        repeats += 1;
        continue;
      }
      this.#repeats(repeats);
      repeats = 0;
      this.zigzag(value - before);
      before = value;
    }
    this.#repeats(repeats);
  }

  /** What was written, as a copy. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#used);
  }

  #repeats(count: number): void {
    if (count === 0) return;
    this.u8(0);
    this.varint(count - 1);
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Every method throws DamagedBlob when the bytes end too early or cannot be right. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new DamagedBlob("it ends too early");
    return value;
  }

  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let factor = 0x80;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * factor;
      if (value > Number.MAX_SAFE_INTEGER) throw new DamagedBlob("a number is too large");
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  f64(): number {
    const start = this.#at;
    this.#at += 8;
    if (this.#at > this.#bytes.length) throw new DamagedBlob("it ends too early");
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + start, 8).getFloat64(0, true);
  }

  /** The next `count` bytes, not copied. */
  bytes(count: number): Uint8Array {
    const start = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new DamagedBlob("it ends too early");
    return this.#bytes.subarray(start, this.#at);
  }

  /** @param count how many there are; the caller has bounded it. */
  ints(count: number): number[] {
    const values: number[] = [];
    let before = 0;
    while (values.length < count) {
      const difference = this.zigzag();
      if (difference !== 0) {
        before += difference;
        values.push(before);
        continue;
      }
      const repeats = this.varint() + 1;
      if (repeats > count - values.length) throw new DamagedBlob("a run is too long");
      for (let i = 0; i < repeats; i++) values.push(before);
    }
    return values;
  }
}
