/** Topic and payload of a record in a rendered slice, as bytes and without copying the payload. */
import type { RenderedSlice } from "../model/spool.js";

/** Topics of the slice in hand as bytes, each made once: a slice of thousands has few. */
export class SliceTopics {
  #slice: RenderedSlice | null = null;
  #bytes: Buffer[] = [];
  readonly #topicHead: string;

  constructor(topicHead: string) {
    this.#topicHead = topicHead;
  }

  of(slice: RenderedSlice, index: number): Buffer {
    if (slice !== this.#slice) {
      this.#slice = slice;
      this.#bytes = slice.topics.map((topic) => Buffer.from(this.#topicHead + topic));
    }
    return this.#bytes[slice.topicOf[index] ?? 0] ?? Buffer.alloc(0);
  }
}

/** A view into the slice's bytes; valid as long as the slice. */
export function payloadOf(slice: RenderedSlice, index: number): Buffer {
  const start = slice.offsets[index] ?? 0;
  const end = slice.offsets[index + 1] ?? start;
  return Buffer.from(slice.bytes.buffer, slice.bytes.byteOffset + start, end - start);
}
