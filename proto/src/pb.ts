/**
 * The only door to protobufjs: the generated messages, and a reader and writer values that keep 64 bits exact.
 *
 * The setup import must stay first: modules are evaluated in the order of their imports.
 */
import "./pb-setup.js";

import protobuf from "protobufjs/minimal.js";
import { tidegate } from "../generated/device.js";

/** The generated messages of `tidegate.device.v1`. */
export const pb = tidegate.device.v1;

/**
 * A reader whose `sint64` answers a bigint, so that `longs` past 2^53 arrive as they were sent.
 *
 * Reads only bytes the walk has accepted: no varint here is longer than ten bytes or runs past the end.
 */
export class ExactReader extends protobuf.Reader {
  // The base class declares Long; the codec turns the field into bigint[] (decode.ts) and nobody else sees it.
  override sint64(): never {
    let low = 0;
    let high = 0;
    let byte = 0;
    let shift = 0;
    do {
      byte = this.buf[this.pos++] ?? 0;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      shift += 7;
    } while (byte >= 0x80);
    return zigZagDecode(low >>> 0, high >>> 0) as never; // see above
  }
}

function zigZagDecode(low: number, high: number): bigint {
  const raw = (BigInt(high) << 32n) | BigInt(low);
  return (raw >> 1n) ^ -(raw & 1n);
}

/** A 64-bit value in the form protobufjs's Writer takes without loss. */
export interface LongValue {
  low: number;
  high: number;
  unsigned: boolean;
}

/** A bigint for the Writer. The caller has checked that it fits 64 bits, signed. */
export function toLongValue(value: bigint): LongValue {
  return {
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
    unsigned: false,
  };
}
