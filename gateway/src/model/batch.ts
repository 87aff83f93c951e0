/**
 * The gather buffer: reliable frames packed behind one another, so that a batch crosses to the storage worker as one
 * transferred buffer instead of thousands of objects.
 *
 *   entry   0 u32 deviceKey   4 u32 epoch   8 u32 seq   12 u32 gap   16 u32 announced
 *          20 u8 kind        21 u8 accuracy            22 u8 flags  23 u8 0
 *          24 f64 receivedUnixMs          32 f64 baseUnixMs
 *          40 u32 bodyBytes  44 u32 0     48 body …, padded to 8 bytes
 *
 * In the byte order of the machine, through typed arrays: a batch never leaves the process, and every entry begins on
 * a multiple of 8. This is the hot path of intake (rows T1 and T2 of the benchmark).
 *
 * `kind` is the body's tag in Uplink (5 telemetry, 6 commandUpdate, 7 catalog, 9 log; another: the whole frame is the
 * body). Two kinds are the gateway's own: announce, which moves a mark over numbers that will never come, and
 * duplicate, which asks the worker to compare a repeat with what it stored.
 */
import type { GatherBatch } from "./spool.js";

/** Bytes of the fixed fields before the body of each entry. */
export const ENTRY_HEADER_BYTES = 48;

/** Entry kinds that are not an Uplink tag; chosen outside the range of tags a device can send in one byte. */
export const EntryKind = {
  /** No body. `seq`: oldest − 1 of a heartbeat, `announced`: its next_seq − 1 [P-12]. Marks an epoch as used [P-6]. */
  announce: 0,
  /** A repeat of a stored number: compare digests, count a conflict [P-2]. */
  duplicate: 255,
  telemetry: 5,
  commandUpdate: 6,
  catalog: 7,
  log: 9,
  /** An Uplink with a body this version does not know; the body is the whole frame [P-25]. */
  unknown: 254,
} as const;

/** The device said goodbye with nothing left to send: its epoch has no open end. */
export const FLAG_ENDED = 1;

/** One entry's numbers; reused by reader and writer, never allocated per frame. */
export class BatchEntry {
  deviceKey = 0;
  epoch = 0;
  seq = 0;
  gap = 0;
  /** The highest number the device is known to have given out. */
  announced = 0;
  kind = 0;
  accuracy = 0;
  flags = 0;
  receivedUnixMs = 0;
  baseUnixMs = 0;
}

const LOOP_BYTES_MAX = 100;

const padded = (bytes: number): number => (bytes + 7) & ~7;

/** Collects entries until it is taken. Grows by doubling up to `bytesMax`; the caller checks `fits` first. */
export class GatherBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #words: Uint32Array<ArrayBuffer>;
  #floats: Float64Array<ArrayBuffer>;
  #used = 0;
  #count = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number, startBytes = 64 * 1024) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(new ArrayBuffer(startBytes));
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.#floats = new Float64Array(this.#bytes.buffer);
  }

  get usedBytes(): number {
    return this.#used;
  }

  get entryCount(): number {
    return this.#count;
  }

  /** Is there room for a body of that size below the ceiling? */
  fits(bodyBytes: number): boolean {
    return this.#used + ENTRY_HEADER_BYTES + padded(bodyBytes) <= this.#bytesMax;
  }

  /** Copy one entry in; its body is `bytes` from `start` to `end`, read during the call only. */
  append(entry: BatchEntry, bytes: Uint8Array, start = 0, end = bytes.length): void {
    const bodyBytes = end - start;
    const total = ENTRY_HEADER_BYTES + padded(bodyBytes);
    if (this.#used + total > this.#bytes.length) this.#grow(this.#used + total);
    const at = this.#used;
    const words = this.#words;
    const word = at >>> 2;
    words[word] = entry.deviceKey;
    words[word + 1] = entry.epoch;
    words[word + 2] = entry.seq;
    words[word + 3] = entry.gap;
    words[word + 4] = entry.announced;
    this.#bytes[at + 20] = entry.kind;
    this.#bytes[at + 21] = entry.accuracy;
    this.#bytes[at + 22] = entry.flags;
    this.#bytes[at + 23] = 0;
    this.#floats[(at >>> 3) + 3] = entry.receivedUnixMs;
    this.#floats[(at >>> 3) + 4] = entry.baseUnixMs;
    words[word + 10] = bodyBytes;
    words[word + 11] = 0;
    this.#copy(at + ENTRY_HEADER_BYTES, bytes, start, end);
    this.#used += total;
    this.#count += 1;
  }

  /**
   * Hand over everything gathered and start again, on `spare` when a returned buffer is at hand.
   * @param refusalsKnown how many batches were refused so far.
   */
  take(spare?: ArrayBuffer, refusalsKnown = 0): GatherBatch {
    const batch = { buffer: this.#bytes.buffer, usedBytes: this.#used, entryCount: this.#count, refusalsKnown };
    this.#lie(spare ?? new ArrayBuffer(64 * 1024));
    this.#used = 0;
    this.#count = 0;
    return batch;
  }

  /** Forget everything gathered: the batch in front of it failed. */
  clear(): void {
    this.#used = 0;
    this.#count = 0;
  }

  #grow(needed: number): void {
    let size = this.#bytes.length * 2;
    while (size < needed) size *= 2;
    const larger = new Uint8Array(new ArrayBuffer(size));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#lie(larger.buffer);
  }

  #lie(buffer: ArrayBuffer): void {
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
    this.#floats = new Float64Array(buffer, 0, buffer.byteLength >>> 3);
  }

  /** Small bodies are copied by a loop: making a view and calling `set` costs more than the bytes below about 100. */
  #copy(at: number, from: Uint8Array, start: number, end: number): void {
    const to = this.#bytes;
    if (end - start > LOOP_BYTES_MAX) to.set(from.subarray(start, end), at);
    else for (let i = start; i < end; i++) to[at + i - start] = from[i] ?? 0;
  }
}

/** Walks a batch. `next` fills `entry` and the body's bounds until it returns false. */
export class BatchReader {
  readonly entry = new BatchEntry();
  /** Bounds of the current body inside `bytes`. */
  bodyStart = 0;
  bodyEnd = 0;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #floats: Float64Array<ArrayBuffer>;
  #at = 0;
  readonly #usedBytes: number;

  constructor(batch: GatherBatch) {
    this.bytes = new Uint8Array(batch.buffer, 0, batch.usedBytes);
    this.#words = new Uint32Array(batch.buffer, 0, batch.usedBytes >>> 2);
    this.#floats = new Float64Array(batch.buffer, 0, batch.usedBytes >>> 3);
    this.#usedBytes = batch.usedBytes;
  }

  next(): boolean {
    const at = this.#at;
    if (at >= this.#usedBytes) return false;
    const words = this.#words;
    const word = at >>> 2;
    const entry = this.entry;
    entry.deviceKey = words[word] ?? 0;
    entry.epoch = words[word + 1] ?? 0;
    entry.seq = words[word + 2] ?? 0;
    entry.gap = words[word + 3] ?? 0;
    entry.announced = words[word + 4] ?? 0;
    entry.kind = this.bytes[at + 20] ?? 0;
    entry.accuracy = this.bytes[at + 21] ?? 0;
    entry.flags = this.bytes[at + 22] ?? 0;
    entry.receivedUnixMs = this.#floats[(at >>> 3) + 3] ?? 0;
    entry.baseUnixMs = this.#floats[(at >>> 3) + 4] ?? 0;
    this.bodyStart = at + ENTRY_HEADER_BYTES;
    this.bodyEnd = this.bodyStart + (words[word + 10] ?? 0);
    this.#at = this.bodyStart + padded(this.bodyEnd - this.bodyStart);
    return true;
  }
}
