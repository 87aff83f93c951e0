/**
 * Messages on a byte stream that has no borders and loses bytes: a serial line.
 *
 *   message │ CRC-32 of it, little-endian      ── COBS ──►      no zero inside │ 0x00
 *
 * COBS (Cheshire and Baker 1999) replaces every zero by the distance to the next, so that 0x00 stands only at the
 * end of a frame: whatever was lost or invented before, the next zero is a border. So corruption costs one frame,
 * or two when it hits the zero between them. A sender begins a link with one 0x00, which ends the noise before it.
 */
import { crc32 } from "./crc.js";
import { SERIAL_MESSAGE_BYTES_MAX } from "./limits.js";

const CRC_BYTES = 4;

/** A COBS block: a code byte, then code − 1 bytes; 0xFF says that no zero follows its 254 bytes. */
const COBS_CODE_MAX = 0xff;

/**
 * Frames one message.
 *
 * @param message at least one byte; the caller keeps it within the limit of the line
 * @returns a new array that ends with 0x00 and has no other zero; at most 6 + n + (n + 4) / 254 bytes for n
 * @throws RangeError when the message is empty
 */
export function encodeStreamFrame(message: Uint8Array): Uint8Array {
  if (message.length === 0) throw new RangeError("a frame carries at least one byte");
  const plain = new Uint8Array(message.length + CRC_BYTES);
  plain.set(message);
  new DataView(plain.buffer).setUint32(message.length, crc32(message), true);
  const out = new Uint8Array(plain.length + Math.floor(plain.length / (COBS_CODE_MAX - 1)) + 2);
  let codeAt = 0;
  let length = 1;
  for (let i = 0; i < plain.length; i += 1) {
    const byte = plain[i] ?? 0;
    if (byte !== 0) out[length++] = byte;
    const isLast = i === plain.length - 1;
    if (byte === 0 || (length - codeAt === COBS_CODE_MAX && !isLast)) {
      out[codeAt] = length - codeAt;
      codeAt = length++;
    }
  }
  out[codeAt] = length - codeAt;
  return out.subarray(0, length + 1);
}

/** What a decoder has seen, counted since it was made. */
export interface StreamStats {
  /** Messages handed out. */
  frames: number;
  /** Frames of right form whose CRC did not match. */
  crcErrors: number;
  /** Frames longer than the limit. */
  oversized: number;
  /** Stretches between zeros that were no frame: too short, or a COBS block that ran past the end. */
  noise: number;
}

/**
 * Finds the messages in a byte stream. Feed it chunks as they come, of any size.
 *
 * Work is linear in the bytes; memory is one buffer of the limit, whatever comes in. Never throws.
 *
 *        byte ≠ 0                    0x00
 *   ┌──────────────► inside ─┬───────────────► message │ crcErrors │ noise ──► between
 * between                    │ longer than the limit
 *   └─ 0x00: nothing         └──────────────► skipping ── 0x00: oversized ──► between
 */
export class StreamDecoder {
  readonly stats: StreamStats = { frames: 0, crcErrors: 0, oversized: 0, noise: 0 };
  readonly #buffer: Uint8Array;
  #length = 0;
  /** Bytes until the next COBS code byte; 0: the next byte is one. */
  #blockLeft = 0;
  /** Whether a zero stands between the block that just ended and the next. */
  #zeroDue = false;
  #isInside = false;
  #isSkipping = false;

  /**
   * @param messageBytesMax longest message, in bytes; longer ones are counted and skipped
   * @throws RangeError when it is not a whole number above 0
   */
  constructor(messageBytesMax: number = SERIAL_MESSAGE_BYTES_MAX) {
    if (!Number.isInteger(messageBytesMax) || messageBytesMax < 1) {
      throw new RangeError(`messageBytesMax must be a whole number above 0, not ${messageBytesMax}`);
    }
    this.#buffer = new Uint8Array(messageBytesMax + CRC_BYTES);
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @param chunk only read, and not kept
   * @returns the messages that ended in it, in order; each a new array, the caller's own
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    for (const byte of chunk) {
      if (byte !== 0) {
        this.#take(byte);
        continue;
      }
      const message = this.#isInside ? this.#endFrame() : null;
      if (message !== null) messages.push(message);
    }
    return messages;
  }

  /** Forgets a half-received frame; for a line that was opened anew. The counters stay. */
  reset(): void {
    this.#length = 0;
    this.#blockLeft = 0;
    this.#zeroDue = false;
    this.#isInside = false;
    this.#isSkipping = false;
  }

  #take(byte: number): void {
    this.#isInside = true;
    if (this.#isSkipping) return;
    if (this.#blockLeft > 0) {
      this.#blockLeft -= 1;
      this.#put(byte);
      return;
    }
    if (this.#zeroDue) this.#put(0);
    this.#blockLeft = byte - 1;
    this.#zeroDue = byte !== COBS_CODE_MAX;
  }

  #put(byte: number): void {
    if (this.#length === this.#buffer.length) this.#isSkipping = true;
    else this.#buffer[this.#length++] = byte;
  }

  /** At a zero: judges what stands before it, and is ready for the next frame. */
  #endFrame(): Uint8Array | null {
    const message = this.#judge();
    this.reset();
    return message;
  }

  #judge(): Uint8Array | null {
    if (this.#isSkipping) {
      this.stats.oversized += 1;
      return null;
    }
    const length = this.#length - CRC_BYTES;
    if (this.#blockLeft > 0 || length < 1) {
      this.stats.noise += 1;
      return null;
    }
    const message = this.#buffer.slice(0, length);
    const view = new DataView(this.#buffer.buffer, length, CRC_BYTES);
    if (view.getUint32(0, true) !== crc32(message)) {
      this.stats.crcErrors += 1;
      return null;
    }
    this.stats.frames += 1;
    return message;
  }
}
