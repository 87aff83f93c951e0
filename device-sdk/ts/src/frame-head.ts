/**
 * The head of a reliable frame: number and gap, written in front of a body that was encoded when it was reported.
 *
 *   +------+--------------+ +------+--------------+ +---------------------------------+
 *   | 0x08 | varint seq   | | 0x10 | varint gap   | | body field as `encodeUplink` did |
 *   +------+--------------+ +------+--------------+ +---------------------------------+
 *                            absent when gap is 0
 *
 * So a body is encoded once, whatever number it ends up with; and its bytes are the same at every repetition [P-2].
 */
import { encodeUplink, type UplinkBody } from "@tidegate/proto";

const SEQ_TAG = 0x08;
const GAP_TAG = 0x10;

/** Number and gap at their longest: two tags and two 5-byte varints. */
export const HEAD_BYTES_MAX = 12;

/** A reliable body as the outbox keeps it: encoded, without number and gap. */
export function encodeBody(body: UplinkBody): Uint8Array {
  return encodeUplink({ seq: 0, gap: 0, body });
}

/** The whole message for the wire. `seq` ≥ 1, `gap` < `seq`, both below 2^32. */
export function withHead(seq: number, gap: number, body: Uint8Array): Uint8Array {
  const head = gap > 0 ? [SEQ_TAG, ...varint(seq), GAP_TAG, ...varint(gap)] : [SEQ_TAG, ...varint(seq)];
  const frame = new Uint8Array(head.length + body.length);
  frame.set(head);
  frame.set(body, head.length);
  return frame;
}

/** Bytes a varint takes. */
export function varintBytes(value: number): number {
  return varint(value).length;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
