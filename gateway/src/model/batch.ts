/**
 * The gather buffer: reliable frames packed behind one another, so that a batch crosses to the storage worker as one
 * transferred buffer instead of thousands of objects.
 *
 *   entry   0 u32 deviceKey   4 u32 epoch   8 u32 seq   12 u32 gap   16 u32 announced
 *          20 u8 kind        21 u8 accuracy            22 u8 flags  23 u8 0
 *          24 f64 receivedUnixMs          32 f64 baseUnixMs
 *          40 u32 bodyBytes  44 u32 0     48 body …, padded to 8 bytes            little-endian
 *
 * `kind` is the body's tag in Uplink (5 telemetry, 6 commandUpdate, 7 catalog, 9 log; another: the whole frame is the
 * body). Two kinds are the gateway's own: announce, which moves a mark over numbers that will never come, and
 * duplicate, which asks the worker to compare a repeat with what it stored.
 */
import type { GatherBatch } from "./spool.js";

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

const padded = (bytes: number): number => (bytes + 7) & ~7;

/** Collects entries until it is taken. Grows by doubling up to `bytesMax`; the caller checks `fits` first. */
export class GatherBuffer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #used = 0;
  #count = 0;
  readonly #bytesMax: number;

  constructor(bytesMax: number, startBytes = 64 * 1024) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(new ArrayBuffer(startBytes));
    this.#view = new DataView(this.#bytes.buffer);
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

  /** Copy one entry in; `body` is read during the call only. */
  append(entry: BatchEntry, body: Uint8Array): void {
    const bodyBytes = body.length;
    const total = ENTRY_HEADER_BYTES + padded(bodyBytes);
    if (this.#used + total > this.#bytes.length) this.#grow(this.#used + total);
    const at = this.#used;
    const view = this.#view;
    view.setUint32(at, entry.deviceKey, true);
    view.setUint32(at + 4, entry.epoch, true);
    view.setUint32(at + 8, entry.seq, true);
    view.setUint32(at + 12, entry.gap, true);
    view.setUint32(at + 16, entry.announced, true);
    this.#bytes[at + 20] = entry.kind;
    this.#bytes[at + 21] = entry.accuracy;
    this.#bytes[at + 22] = entry.flags;
    this.#bytes[at + 23] = 0;
    view.setFloat64(at + 24, entry.receivedUnixMs, true);
    view.setFloat64(at + 32, entry.baseUnixMs, true);
    view.setUint32(at + 40, bodyBytes, true);
    const target = at + ENTRY_HEADER_BYTES;
    copyBytes(this.#bytes, target, body);
    this.#used += total;
    this.#count += 1;
  }

  /** Hand over everything gathered and start again, on `spare` when a returned buffer is at hand. */
  take(spare?: ArrayBuffer): GatherBatch {
    const batch = { buffer: this.#bytes.buffer, usedBytes: this.#used, entryCount: this.#count };
    this.#bytes = new Uint8Array(spare ?? new ArrayBuffer(64 * 1024));
    this.#view = new DataView(this.#bytes.buffer);
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
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Small bodies are copied by a loop: calling `set` costs more than the bytes below about 64. */
function copyBytes(to: Uint8Array, toAt: number, from: Uint8Array): void {
  if (from.length > 64) {
    to.set(from, toAt);
    return;
  }
  for (let i = 0; i < from.length; i++) to[toAt + i] = from[i] ?? 0;
}

/** Walks a batch. `next` fills `entry` and the body's bounds until it returns false. */
export class BatchReader {
  readonly entry = new BatchEntry();
  /** Bounds of the current body inside `bytes`. */
  bodyStart = 0;
  bodyEnd = 0;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #at = 0;
  readonly #usedBytes: number;

  constructor(batch: GatherBatch) {
    this.bytes = new Uint8Array(batch.buffer, 0, batch.usedBytes);
    this.#view = new DataView(batch.buffer, 0, batch.usedBytes);
    this.#usedBytes = batch.usedBytes;
  }

  next(): boolean {
    const at = this.#at;
    if (at >= this.#usedBytes) return false;
    const view = this.#view;
    const entry = this.entry;
    entry.deviceKey = view.getUint32(at, true);
    entry.epoch = view.getUint32(at + 4, true);
    entry.seq = view.getUint32(at + 8, true);
    entry.gap = view.getUint32(at + 12, true);
    entry.announced = view.getUint32(at + 16, true);
    entry.kind = view.getUint8(at + 20);
    entry.accuracy = view.getUint8(at + 21);
    entry.flags = view.getUint8(at + 22);
    entry.receivedUnixMs = view.getFloat64(at + 24, true);
    entry.baseUnixMs = view.getFloat64(at + 32, true);
    this.bodyStart = at + ENTRY_HEADER_BYTES;
    this.bodyEnd = this.bodyStart + view.getUint32(at + 40, true);
    this.#at = this.bodyStart + padded(this.bodyEnd - this.bodyStart);
    return true;
  }
}
