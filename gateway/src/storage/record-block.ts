/**
 * Records as they lie in spool.db: many in one row, because a row costs SQLite ten times what its bytes do.
 *
 *   row     last_id │ first_id │ crc, over the body │ body
 *   body    0 u8 format (1)    1 f64 receivedUnixMs of the first record    9 record …        ids rise by one
 *   record  u8 kind │ accuracy << 4 │ exact times << 6      u8 place in the block, modulo 256
 *           varint device key   u32 epoch   varint seq   varint catalog   varint body bytes
 *           received: zigzag varint, ms behind the block's first      base: zigzag varint, ms behind received
 *           u32 CRC-32 of the record's body and head      body …                               little-endian
 *
 * Times that are no whole milliseconds, or too far apart, are two f64 instead (bit 6). The CRC of the row is checked at
 * every reading. Where it does not fit, the records' own tell which are sound (damaged-block.ts): a bit that flips
 * takes one record with it and not its neighbours, and none is ever handed on altered.
 */
import { crc32 } from "@tidegate/proto";
import type { Accuracy, RecordKind } from "../model/record.js";
import { crc32Of } from "./record-crc.js";

const FORMAT = 1;
export const BLOCK_HEAD_BYTES = 9;

/** A block is closed when it has grown to this: eight of SQLite's pages. A larger record has a block of its own. */
export const BLOCK_BYTES = 32 * 1024;

/** What the head of a record takes at most. */
export const HEAD_BYTES_MAX = 2 + 5 + 4 + 5 + 5 + 5 + 16 + 4;

const EXACT_TIMES = 0x40;
const KIND_MASK = 0x0f;

/** A record's numbers, as the ledger has them. */
export interface BlockRecord {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly accuracy: Accuracy;
  readonly receivedUnixMs: number;
  readonly baseUnixMs: number;
  /** Row id of the catalog in force, below 2^32. */
  readonly catalog: number;
  /** CRC-32 of the body. */
  readonly bodyCrc: number;
  readonly body: Uint8Array;
}

/** A block that is ready for its row; `body` is the builder's own memory, valid until it begins the next block. */
export interface FinishedBlock {
  readonly firstId: number;
  readonly lastId: number;
  readonly crc: number;
  readonly body: Uint8Array;
}

/** Puts records into blocks, one after another, in memory of its own. */
export class BlockBuilder {
  #bytes = new Uint8Array(BLOCK_BYTES + HEAD_BYTES_MAX);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  #firstId = 0;
  #count = 0;
  #startUnixMs = 0;
  #seed = 0;

  get count(): number {
    return this.#count;
  }

  /** Room for one more, below the size at which a block is closed? An empty block has room for any. */
  fits(bodyBytes: number): boolean {
    return this.#count === 0 || this.#used + HEAD_BYTES_MAX + bodyBytes <= BLOCK_BYTES;
  }

  /** Copy one record in. @param id one more than the id before it, in a block that has begun. */
  add(id: number, record: BlockRecord): void {
    if (this.#count === 0) this.#begin(id, record.receivedUnixMs);
    const { body } = record;
    this.#reserve(HEAD_BYTES_MAX + body.length);
    const head = this.#used;
    const bytes = this.#bytes;
    bytes[head + 1] = this.#count & 0xff;
    let at = this.#varint(head + 2, record.deviceKey);
    this.#view.setUint32(at, record.epoch, true);
    at = this.#varint(at + 4, record.seq);
    at = this.#varint(at, record.catalog);
    at = this.#varint(at, body.length);
    const received = record.receivedUnixMs - this.#startUnixMs;
    const base = record.baseUnixMs - record.receivedUnixMs;
    const isExact = (received | 0) !== received || (base | 0) !== base;
    bytes[head] = record.kind | (record.accuracy << 4) | (isExact ? EXACT_TIMES : 0);
    if (isExact) {
      this.#view.setFloat64(at, record.receivedUnixMs, true);
      this.#view.setFloat64(at + 8, record.baseUnixMs, true);
      at += 16;
    } else {
      at = this.#varint(at, zigzag(received));
      at = this.#varint(at, zigzag(base));
    }
    this.#view.setUint32(at, crc32Of(bytes, head, at, (record.bodyCrc ^ this.#seed) >>> 0), true);
    copyBytes(bytes, at + 4, body);
    this.#used = at + 4 + body.length;
    this.#count += 1;
  }

  /** Close the block; the next `add` begins another. Call it with at least one record in. */
  finish(): FinishedBlock {
    const body = this.#bytes.subarray(0, this.#used);
    const block = { firstId: this.#firstId, lastId: this.#firstId + this.#count - 1, body };
    this.#count = 0;
    return { ...block, crc: blockCrc(block) };
  }

  /** Forget what was put in since the last block. */
  clear(): void {
    this.#count = 0;
  }

  #begin(firstId: number, startUnixMs: number): void {
    this.#firstId = firstId;
    this.#startUnixMs = startUnixMs;
    this.#bytes[0] = FORMAT;
    this.#view.setFloat64(1, startUnixMs, true);
    this.#seed = blockSeed(firstId, startUnixMs);
    this.#used = BLOCK_HEAD_BYTES;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    const larger = new Uint8Array(this.#used + more);
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** An unsigned number below 2^32, seven bits to a byte. @returns the place behind it. */
  #varint(from: number, value: number): number {
    let at = from;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[at++] = rest;
    return at;
  }
}

/** The CRC-32 that the row of a block carries: over its ids and its body. */
export function blockCrc(block: { readonly firstId: number; readonly lastId: number; readonly body: Uint8Array }) {
  return crc32(block.body, blockSeed(block.firstId, block.lastId));
}

const seedBytes = new Uint8Array(16);
const seedView = new DataView(seedBytes.buffer);

/** What a record's CRC begins with, so that it does not fit in another place or at another time. */
function blockSeed(firstId: number, second: number): number {
  seedView.setFloat64(0, firstId, true);
  seedView.setFloat64(8, second, true);
  return crc32Of(seedBytes, 0, 16, 0);
}

/** Walks a block's records; `read` fills the fields from one place and answers the place behind it. */
export class BlockWalker {
  deviceKey = 0;
  epoch = 0;
  seq = 0;
  kind: RecordKind = 1;
  accuracy: Accuracy = 0;
  receivedUnixMs = 0;
  baseUnixMs = 0;
  catalog = 0;
  /** The record's place in its block, modulo 256. */
  place = 0;
  bodyStart = 0;
  bodyEnd = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #startUnixMs: number;
  readonly #seed: number;
  #at = 0;
  #headStart = 0;
  #headEnd = 0;

  /** @param bytes the body of a block; read, never changed. */
  constructor(bytes: Uint8Array, firstId: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isLongEnough = bytes.length >= BLOCK_HEAD_BYTES && bytes[0] === FORMAT;
    this.#startUnixMs = isLongEnough ? this.#view.getFloat64(1, true) : 0;
    this.#seed = blockSeed(firstId, this.#startUnixMs);
  }

  /**
   * Read the record that begins at `from`.
   *
   * @returns where the next one begins; −1 when no record can lie there.
   */
  read(from: number): number {
    const bytes = this.bytes;
    this.#at = from + 2;
    if (from + HEAD_BYTES_MAX > bytes.length && !this.#headFits(from)) return -1;
    const flags = bytes[from] ?? 0;
    this.place = bytes[from + 1] ?? 0;
    this.kind = (flags & KIND_MASK) as RecordKind; // the codec of the column: written by the builder, under a CRC
    this.accuracy = ((flags >> 4) & 3) as Accuracy; // likewise
    this.deviceKey = this.#varint();
    this.epoch = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    this.seq = this.#varint();
    this.catalog = this.#varint();
    const bodyBytes = this.#varint();
    this.#times((flags & EXACT_TIMES) !== 0);
    this.#headStart = from;
    this.#headEnd = this.#at;
    this.bodyStart = this.#at + 4;
    this.bodyEnd = this.bodyStart + bodyBytes;
    return this.bodyEnd <= bytes.length ? this.bodyEnd : -1;
  }

  /** Does the record that was read last fit its own CRC? Costs a pass over its body. */
  isSound(): boolean {
    const bodyCrc = crc32(this.bytes.subarray(this.bodyStart, this.bodyEnd));
    const crc = crc32Of(this.bytes, this.#headStart, this.#headEnd, (bodyCrc ^ this.#seed) >>> 0);
    return crc === this.#view.getUint32(this.#headEnd, true);
  }

  #times(isExact: boolean): void {
    if (isExact) {
      this.receivedUnixMs = this.#view.getFloat64(this.#at, true);
      this.baseUnixMs = this.#view.getFloat64(this.#at + 8, true);
      this.#at += 16;
    } else {
      this.receivedUnixMs = this.#startUnixMs + unzigzag(this.#varint());
      this.baseUnixMs = this.receivedUnixMs + unzigzag(this.#varint());
    }
  }

  /** Near the end of a block: is a whole head there? Looked at byte by byte, before anything is read beyond it. */
  #headFits(from: number): boolean {
    const end = this.bytes.length;
    let at = this.#skipVarint(from + 2) + 4;
    for (let i = 0; i < 3; i++) at = this.#skipVarint(at);
    if (((this.bytes[from] ?? 0) & EXACT_TIMES) !== 0) at += 16;
    else at = this.#skipVarint(this.#skipVarint(at));
    return at + 4 <= end;
  }

  #skipVarint(from: number): number {
    let at = from;
    while (at < from + 4 && (this.bytes[at] ?? 0) > 0x7f) at += 1;
    return at + 1;
  }

  #varint(): number {
    const bytes = this.bytes;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[this.#at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte <= 0x7f) break;
    }
    return value >>> 0;
  }
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

function unzigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}

/** Small bodies are copied by a loop: calling `set` costs more than the bytes below about 64. */
function copyBytes(to: Uint8Array, toAt: number, from: Uint8Array): void {
  if (from.length > 64) {
    to.set(from, toAt);
    return;
  }
  for (let i = 0; i < from.length; i++) to[toAt + i] = from[i] ?? 0;
}
