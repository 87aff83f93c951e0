/** Where each record in flight lies in its rendered slice: for whoever must know what the cursor passed. */
import type { QuarantinedMessage, RenderedSlice } from "../model/spool.js";
import { payloadOf } from "./slice-messages.js";

/** As many places as the delivery ring has entries, under the same tokens. */
export class SentPlaces {
  readonly #slices: (RenderedSlice | null)[];
  readonly #indexes: Uint32Array;
  readonly #passed: (slice: RenderedSlice, index: number) => void;

  constructor(capacity: number, passed: (slice: RenderedSlice, index: number) => void) {
    this.#slices = new Array<RenderedSlice | null>(capacity).fill(null);
    this.#indexes = new Uint32Array(capacity);
    this.#passed = passed;
  }

  put(token: number, slice: RenderedSlice, index: number): void {
    const slot = token % this.#indexes.length;
    this.#slices[slot] = slice;
    this.#indexes[slot] = index;
  }

  /** The record under this token is sent nowhere; what lay at its place was in flight when a session ended. */
  putNone(token: number): void {
    this.#slices[token % this.#indexes.length] = null;
  }

  /** A copy of the message, for the time after its slice; null when the token is not in flight. */
  message(token: number): QuarantinedMessage | null {
    const slot = token % this.#indexes.length;
    const slice = this.#slices[slot];
    const index = this.#indexes[slot] ?? 0;
    if (slice === null || slice === undefined) return null;
    const topic = slice.topics[slice.topicOf[index] ?? 0] ?? "";
    return { topic, payload: Uint8Array.from(payloadOf(slice, index)) };
  }

  /** The record under this token is done, and every one before it. */
  readonly drop = (token: number): void => {
    const slot = token % this.#indexes.length;
    const slice = this.#slices[slot];
    if (slice === null || slice === undefined) return;
    this.#slices[slot] = null; // lets its bytes go
    this.#passed(slice, this.#indexes[slot] ?? 0);
  };
}
