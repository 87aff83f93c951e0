/**
 * The primitive readers under the walk: varints and UTF-8, without allocation and without throwing.
 *
 *   varint   1xxxxxxx 1xxxxxxx … 0xxxxxxx      low seven bits first; at most 10 bytes, padding is legal [P-24]
 *
 * Each answers the position after what it read, or a negative error code. A varint's value is left in `varint`,
 * in two halves, because a returned pair would be an allocation.
 */
import { DECODE_ERROR_CODES, type DecodeErrorCode } from "./decode-error.js";

/** The value of the varint read last, as two unsigned 32-bit halves. */
export const varint = { low: 0, high: 0 };

/** The negative number that stands for an error inside the walk. */
export function fail(code: DecodeErrorCode): number {
  return -1 - DECODE_ERROR_CODES.indexOf(code);
}

/** The error a negative position stands for. */
export function failureOf(position: number): DecodeErrorCode {
  return DECODE_ERROR_CODES[-1 - position] ?? "malformed";
}

const TRUNCATED = fail("truncated");
const MALFORMED = fail("malformed");
const BAD_UTF8 = fail("bad_utf8");

/** Reads a varint of up to ten bytes into `varint`. Bits beyond the 64th are malformed. */
export function readVarint(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (pos >= end) return TRUNCATED;
    const byte = bytes[pos++] ?? 0;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else {
      if (shift === 63 && bits > 1) return MALFORMED;
      high |= bits << (shift - 32);
    }
    if (byte < 0x80) {
      varint.low = low >>> 0;
      varint.high = high >>> 0;
      return pos;
    }
  }
  return MALFORMED;
}

/** Reads a tag or a length into `varint.low`: at most five bytes and 32 bits, as every protobuf parser demands. */
export function readShortVarint(bytes: Uint8Array, start: number, end: number): number {
  const first = start < end ? (bytes[start] ?? 0) : 0x80;
  if (first < 0x80) {
    varint.low = first;
    return start + 1;
  }
  const pos = readVarint(bytes, start, end);
  return pos >= 0 && (pos - start > 5 || varint.high !== 0) ? MALFORMED : pos;
}

/** Whether a byte continues a UTF-8 sequence: 10xxxxxx. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/**
 * Checks that a range is UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF, as RFC 3629 says.
 *
 * @returns `end`, or the error
 */
export function checkUtf8(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  while (pos < end) {
    const lead = bytes[pos] ?? 0;
    if (lead < 0x80) {
      pos += 1;
      continue;
    }
    const length = sequenceLength(lead, bytes[pos + 1] ?? 0);
    if (length === 0 || pos + length > end) return BAD_UTF8;
    for (let i = 1; i < length; i += 1) if (!isContinuation(bytes[pos + i])) return BAD_UTF8;
    pos += length;
  }
  return end;
}

/** Bytes in the sequence a lead byte opens; 0 when no sequence may begin with these two (RFC 3629 section 4). */
function sequenceLength(lead: number, second: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  if (lead < 0xe0) return 2;
  if (lead === 0xe0) return second >= 0xa0 ? 3 : 0;
  if (lead === 0xed) return second <= 0x9f ? 3 : 0;
  if (lead < 0xf0) return 3;
  if (lead === 0xf0) return second >= 0x90 ? 4 : 0;
  if (lead === 0xf4) return second <= 0x8f ? 4 : 0;
  return 4;
}
