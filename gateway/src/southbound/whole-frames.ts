/**
 * The way in for ordinary frames: a binary message that lies whole in one piece of what the socket delivered is
 * unmasked where it is and handed on. Everything else is left to `ws`, byte for byte and in order.
 *
 *   socket ──chunk──▶ │ frame │ frame │ frame │ fra…       RFC 6455 §5.2: 0x82, 1 │ length, mask, masked payload
 *                         │       │       └─ ping, cut at the end of the chunk, anything else ──▶ ws
 *                         └───────┴── whole, FIN, binary, masked, not too long ──▶ message
 *
 * `ws` reads every frame through a Writable stream, five views and six calls, which costs more than all else that
 * intake does with it (rows T1 and T2 of the benchmark). Its rules stay its own: it gets every frame whole, and from
 * the first one on that is neither binary and final nor a ping or pong, it gets all that follows. So fragments, text,
 * closing and every fault are judged by `ws` alone. Only a header cut by the end of a chunk is held back, at most 13
 * bytes.
 */

/** Where the bytes go; both are read during the call only, and `message` may change them. */
export interface FrameTaker {
  /** The unmasked payload of one whole binary message. */
  message(payload: Uint8Array): void;
  /** Bytes of one frame, or of all that is left, for `ws`. */
  other(bytes: Buffer): void;
}

const FIN_BINARY = 0x82;
const FIN_PING = 0x89;
const FIN_PONG = 0x8a;
const MASKED = 0x80;
const CONTROL_BYTES_MAX = 125;
const LENGTH_16 = 126;
const MASK_BYTES = 4;
/** First four of eight length bytes: a frame of 4 GiB and more is refused by `ws` whatever follows. */
const NOT_HUGE = 0;

/** One connection's frames, from the first byte after the upgrade. */
export class WholeFrames {
  readonly #payloadBytesMax: number;
  readonly #taker: FrameTaker;
  /** Bytes still to come of a frame that `ws` has begun to read. */
  #owed = 0;
  /** After a close, a fragment, a text or a fault nothing is cut any more: `ws` gets all that follows. */
  #allToOther = false;
  /** The beginning of a header. */
  #tail: Buffer | null = null;

  /** @param payloadBytesMax longer messages are left to `ws`, which refuses them. */
  constructor(payloadBytesMax: number, taker: FrameTaker) {
    this.#payloadBytesMax = payloadBytesMax;
    this.#taker = taker;
  }

  /** What the socket delivered next. The chunk is the reader's own: it is unmasked in place. */
  take(delivered: Buffer): void {
    const chunk = this.#tail === null ? delivered : Buffer.concat([this.#tail, delivered]);
    this.#tail = null;
    let at = this.#payOff(chunk);
    while (at < chunk.length && !this.#allToOther) {
      const next = this.#frame(chunk, at);
      if (next === at && !this.#allToOther) {
        // A copy: the chunk would be kept alive by a few bytes of it.
        this.#tail = Buffer.from(chunk.subarray(at));
        return;
      }
      at = next;
    }
    if (at < chunk.length) this.#taker.other(chunk.subarray(at));
  }

  /** The rest of a frame whose beginning `ws` has. @returns where the next one begins. */
  #payOff(chunk: Buffer): number {
    if (this.#owed === 0) return 0;
    const paid = Math.min(this.#owed, chunk.length);
    this.#owed -= paid;
    this.#taker.other(paid === chunk.length ? chunk : chunk.subarray(0, paid));
    return paid;
  }

  /** One frame. @returns where the next one begins; `at`: its header is not all there, or `ws` shall have it all. */
  #frame(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    if (left < 2) return at;
    const bits = (chunk[at + 1] ?? 0) & 0x7f;
    const maskAt = 2 + (bits < LENGTH_16 ? 0 : bits === LENGTH_16 ? 2 : 8);
    const size = left < maskAt ? bits : payloadSize(chunk, at, bits);
    if (!this.#isOrdinary(chunk, at, size)) {
      this.#allToOther = true;
      return at;
    }
    const start = at + maskAt + MASK_BYTES;
    if (start > chunk.length) return at;
    const end = start + size;
    if (chunk[at] === FIN_BINARY && end <= chunk.length) {
      unmask(chunk, start, end);
      this.#taker.message(new Uint8Array(chunk.buffer, chunk.byteOffset + start, size));
      return end;
    }
    const given = Math.min(end, chunk.length);
    this.#owed = end - given;
    this.#taker.other(chunk.subarray(at, given));
    return given;
  }

  /** Nothing that `ws` could take offence at, and nothing that changes what the frames behind it mean. */
  #isOrdinary(chunk: Buffer, at: number, size: number): boolean {
    const second = chunk[at + 1] ?? 0;
    if (second < MASKED) return false;
    const first = chunk[at];
    if (first === FIN_BINARY) return size <= this.#payloadBytesMax;
    return (first === FIN_PING || first === FIN_PONG) && second - MASKED <= CONTROL_BYTES_MAX;
  }
}

/** Payload bytes of the frame at `at`, whose seven length bits are `bits`; infinite beyond 4 GiB. */
function payloadSize(chunk: Buffer, at: number, bits: number): number {
  if (bits < LENGTH_16) return bits;
  if (bits === LENGTH_16) return chunk.readUInt16BE(at + 2);
  return chunk.readUInt32BE(at + 2) === NOT_HUGE ? chunk.readUInt32BE(at + 6) : Number.POSITIVE_INFINITY;
}

/** The mask stands directly before the payload (RFC 6455 §5.3). */
function unmask(chunk: Buffer, start: number, end: number): void {
  const a = chunk[start - 4] ?? 0;
  const b = chunk[start - 3] ?? 0;
  const c = chunk[start - 2] ?? 0;
  const d = chunk[start - 1] ?? 0;
  let i = start;
  for (; i + 3 < end; i += 4) {
    chunk[i] = (chunk[i] ?? 0) ^ a;
    chunk[i + 1] = (chunk[i + 1] ?? 0) ^ b;
    chunk[i + 2] = (chunk[i + 2] ?? 0) ^ c;
    chunk[i + 3] = (chunk[i + 3] ?? 0) ^ d;
  }
  if (i < end) chunk[i] = (chunk[i] ?? 0) ^ a;
  if (i + 1 < end) chunk[i + 1] = (chunk[i + 1] ?? 0) ^ b;
  if (i + 2 < end) chunk[i + 2] = (chunk[i + 2] ?? 0) ^ c;
}
