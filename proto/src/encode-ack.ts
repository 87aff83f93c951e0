/**
 * The Ack, by hand: the Downlink that is sent most, once per commit and device.
 *
 *   0x12 │ length │ 0x08 │ seq as a varint of 1 to 5 bytes
 *
 * The same bytes as `encodeDownlink` gives (a test holds them together), at a tenth of the cost.
 */
import { checkInteger, U32_MAX } from "./range-check.js";

/**
 * @param seq durable up to here; u32. 0 is left out, as proto3 does.
 * @throws RangeError when it is not a u32
 */
export function encodeAck(seq: number): Uint8Array {
  checkInteger("Ack.seq", seq, 0, U32_MAX);
  if (seq === 0) return new Uint8Array([0x12, 0]);
  const size = varintBytes(seq);
  const bytes = new Uint8Array(3 + size);
  bytes[0] = 0x12;
  bytes[1] = 1 + size;
  bytes[2] = 0x08;
  let rest = seq;
  for (let i = 3; i < 2 + size; i += 1) {
    bytes[i] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[2 + size] = rest;
  return bytes;
}

function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}
