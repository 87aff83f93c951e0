/**
 * Collects rendered records into the flat arrays of a RenderedSlice, so that thousands of messages cross threads as a
 * handful of buffers.
 */
import type { StoredRecord } from "../model/record.js";
import type { RenderedSlice } from "../model/spool.js";

/** A record as one message, as the renderer makes it. */
export interface RenderedMessage {
  readonly topic: string;
  readonly payload: string;
  readonly response?: { readonly topic: string; readonly correlation: string | null };
  /** The one sink it concerns. */
  readonly onlyFor?: string;
}

const encoder = new TextEncoder();

/** Bytes a payload may take per UTF-16 code unit. */
const BYTES_PER_UNIT_MAX = 3;

/** Builds one slice; of no use after `finish`, which hands its arrays over. */
export class SliceBuilder {
  #count = 0;
  #bytes = new Uint8Array(new ArrayBuffer(64 * 1024));
  #used = 0;
  readonly #ids: Float64Array<ArrayBuffer>;
  readonly #kinds: Uint8Array<ArrayBuffer>;
  readonly #epochs: Uint32Array<ArrayBuffer>;
  readonly #seqs: Uint32Array<ArrayBuffer>;
  readonly #deviceOf: Uint32Array<ArrayBuffer>;
  readonly #topicOf: Uint32Array<ArrayBuffer>;
  readonly #offsets: Uint32Array<ArrayBuffer>;
  readonly #devices = new Map<string, number>();
  readonly #topics = new Map<string, number>();
  readonly #onlyFor = new Map<number, string>();
  readonly #responses = new Map<number, { topic: string; correlation: string | null }>();

  constructor(rowsMax: number) {
    this.#ids = new Float64Array(rowsMax);
    this.#kinds = new Uint8Array(rowsMax);
    this.#epochs = new Uint32Array(rowsMax);
    this.#seqs = new Uint32Array(rowsMax);
    this.#deviceOf = new Uint32Array(rowsMax);
    this.#topicOf = new Uint32Array(rowsMax);
    this.#offsets = new Uint32Array(rowsMax + 1);
  }

  get usedBytes(): number {
    return this.#used;
  }

  add(record: StoredRecord, message: RenderedMessage): void {
    const at = this.#count;
    this.#ids[at] = record.id;
    this.#kinds[at] = record.kind;
    this.#epochs[at] = record.epoch;
    this.#seqs[at] = record.seq;
    this.#deviceOf[at] = indexIn(this.#devices, record.device);
    this.#topicOf[at] = indexIn(this.#topics, message.topic);
    if (message.onlyFor !== undefined) this.#onlyFor.set(at, message.onlyFor);
    if (message.response !== undefined) this.#responses.set(at, message.response);
    this.#reserve(message.payload.length * BYTES_PER_UNIT_MAX);
    this.#used += encoder.encodeInto(message.payload, this.#bytes.subarray(this.#used)).written;
    this.#count += 1;
    this.#offsets[this.#count] = this.#used;
  }

  finish(scannedToId: number, more: boolean): RenderedSlice {
    const count = this.#count;
    return {
      scannedToId,
      more,
      count,
      ids: this.#ids.subarray(0, count),
      kinds: this.#kinds.subarray(0, count),
      epochs: this.#epochs.subarray(0, count),
      seqs: this.#seqs.subarray(0, count),
      deviceOf: this.#deviceOf.subarray(0, count),
      devices: [...this.#devices.keys()],
      topicOf: this.#topicOf.subarray(0, count),
      topics: [...this.#topics.keys()],
      offsets: this.#offsets.subarray(0, count + 1),
      bytes: this.#bytes.subarray(0, this.#used),
      onlyFor: this.#onlyFor,
      responses: this.#responses,
    };
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#bytes.length) return;
    let size = this.#bytes.length * 2;
    while (size < this.#used + more) size *= 2;
    const larger = new Uint8Array(new ArrayBuffer(size));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}

function indexIn(known: Map<string, number>, name: string): number {
  const index = known.get(name);
  if (index !== undefined) return index;
  known.set(name, known.size);
  return known.size - 1;
}
