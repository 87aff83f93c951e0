/**
 * The fast path: what the gateway needs of a frame before it acks it, without building a message.
 *
 *   bytes ── readEnvelope ──┬─ error code                    → Bye, nothing moves
 *                           └─ Envelope: seq, gap, body tag  → admit, gather, ack
 *
 * It walks every byte (walk.ts), because nothing undecodable may ever be acked: what `readEnvelope` accepts,
 * `decodeUplink` decodes, and the other way round.
 */
import type { DecodeErrorCode } from "./decode-error.js";
import { MESSAGE_BYTES_MAX } from "./limits.js";
import { Message } from "./schema.js";
import { skimTelemetry } from "./skim.js";
import { clearFindings, type Findings, walkAll } from "./walk.js";
import { failureOf } from "./wire-read.js";

/** Body tags of an Uplink: the field numbers in `device.proto`. 10 … 31 are bodies of later versions. */
export const UplinkTag = {
  hello: 3,
  heartbeat: 4,
  telemetry: 5,
  commandUpdate: 6,
  catalog: 7,
  bye: 8,
  log: 9,
} as const;
export type UplinkTag = (typeof UplinkTag)[keyof typeof UplinkTag];

/** Whether a body tag is one this version decodes. */
export function isUplinkTag(tag: number): tag is UplinkTag {
  return tag >= UplinkTag.hello && tag <= UplinkTag.log;
}

/** The outside of an Uplink. Made once by the caller and filled again for every frame. */
export class Envelope implements Findings {
  /** Number of a reliable body; 0 for the others. */
  seq = 0;
  /** Numbers directly below `seq` that will never come [P-1]. Not checked against `seq`: that is [P-2]. */
  gap = 0;
  /** Body tag (`UplinkTag`), 10 … 31 for a body of a later version, 0 when there is none. */
  body = 0;
  /** Offset of the body's first byte in the frame; the body has no tag or length of its own. */
  bodyStart = 0;
  /** Offset behind the body's last byte. */
  bodyEnd = 0;
  /** Telemetry: 0 no base, 1 uptime, 2 unix. Log: 1, or 0 when it has no uptime. Else 0. */
  base: 0 | 1 | 2 = 0;
  /** The base, in ms of its clock. */
  baseMs = 0;
  /** Telemetry: the older boot it was measured in; 0: the boot of this session's Hello. */
  bootNonce = 0;
}

/**
 * Reads the envelope of an Uplink and proves that all of it can be decoded.
 *
 * @param bytes one whole frame; only read, and not kept
 * @param into filled on success; holds nothing meaningful after an error
 * @returns null when the frame is well formed, else why it is not
 */
export function readEnvelope(bytes: Uint8Array, into: Envelope): DecodeErrorCode | null {
  if (bytes.length === 0) return "empty";
  if (bytes.length > MESSAGE_BYTES_MAX) return "too_large";
  clearFindings(into);
  if (skimTelemetry(bytes, into)) return null;
  const end = walkAll(Message.UPLINK, bytes, into);
  return end < 0 ? failureOf(end) : null;
}
