/**
 * Messages to bytes and back: the only part of the project that knows how a message is encoded.
 *
 *   encode…  plain message ── range check (encode.ts) ── protobufjs ──► bytes        throws RangeError on a mistake
 *   decode…  bytes ── walk (walk.ts) ── protobufjs (decode.ts) ──► plain message     never throws, answers Decoded
 *
 * Bytes come from strangers: whatever they are, decoding ends in time linear in their length.
 */

import { catalogOf, DOWNLINK_BODY, telemetryOf, UPLINK_BODY } from "./decode.js";
import type { Decoded, DecodeError, DecodeErrorCode } from "./decode-error.js";
import { catalogBytes, downlinkBytes, telemetryBytes, uplinkBytes } from "./encode.js";
import { isUplinkTag } from "./envelope.js";
import { MESSAGE_BYTES_MAX } from "./limits.js";
import type { Catalog, Downlink, DownlinkBody, Telemetry, Uplink, UplinkBody } from "./messages.js";
import { ARGUMENT, FIELDS_PER_MESSAGE, fieldName, Message, SCHEMA } from "./schema.js";
import { emptyFindings, stop, walkAll } from "./walk.js";
import { failureOf } from "./wire-read.js";

const found = emptyFindings();

/**
 * Encodes an Uplink. Fields at their zero are left out, as proto3 has it; a Telemetry base is kept even at zero.
 *
 * @returns a new array of at most MESSAGE_BYTES_MAX bytes, the caller's own
 * @throws RangeError naming the field, when a value does not fit it
 */
export function encodeUplink(uplink: Uplink): Uint8Array {
  return uplinkBytes(uplink);
}

/**
 * Encodes a Downlink.
 *
 * @returns a new array of at most MESSAGE_BYTES_MAX bytes, the caller's own
 * @throws RangeError naming the field, when a value does not fit it
 */
export function encodeDownlink(body: DownlinkBody): Uint8Array {
  return downlinkBytes(body);
}

/**
 * Encodes a bare Telemetry, as it stands in the body of an Uplink.
 *
 * @throws RangeError naming the field, when a value does not fit it
 */
export function encodeTelemetry(telemetry: Telemetry): Uint8Array {
  return telemetryBytes(telemetry);
}

/**
 * Encodes a bare Catalog, as it stands in the body of an Uplink.
 *
 * @throws RangeError naming the field, when a value does not fit it
 */
export function encodeCatalog(catalog: Catalog): Uint8Array {
  return catalogBytes(catalog);
}

/**
 * Decodes an Uplink. Accepts exactly what `readEnvelope` accepts.
 *
 * @param bytes one whole message; only read, and not kept
 * @returns the message, owning all its content, with `body` null for a body of a later version [P-25]
 */
export function decodeUplink(bytes: Uint8Array): Decoded<Uplink> {
  const error = check(Message.UPLINK, bytes);
  if (error !== null) return { ok: false, error };
  const { seq, gap, body: tag, bodyStart, bodyEnd } = found;
  const body = UPLINK_BODY[tag]?.(bytes.subarray(bodyStart, bodyEnd)) ?? null;
  return { ok: true, value: { seq, gap, body } };
}

/**
 * Decodes a Downlink.
 *
 * @param bytes one whole message; only read, and not kept
 * @returns the body, owning all its content, or null for one of a later version [P-25]
 */
export function decodeDownlink(bytes: Uint8Array): Decoded<Downlink> {
  const error = check(Message.DOWNLINK, bytes);
  if (error !== null) return { ok: false, error };
  const { body: tag, bodyStart, bodyEnd } = found;
  return { ok: true, value: DOWNLINK_BODY[tag]?.(bytes.subarray(bodyStart, bodyEnd)) ?? null };
}

/** Decodes a bare Telemetry body; no bytes are an empty one. */
export function decodeTelemetry(bytes: Uint8Array): Decoded<Telemetry> {
  const error = checkBody(Message.TELEMETRY, bytes);
  return error === null ? { ok: true, value: telemetryOf(bytes) } : { ok: false, error };
}

/** Decodes a bare Catalog body, one part of it or a whole one; no bytes are an empty one. */
export function decodeCatalog(bytes: Uint8Array): Decoded<Catalog> {
  const error = checkBody(Message.CATALOG, bytes);
  return error === null ? { ok: true, value: catalogOf(bytes) } : { ok: false, error };
}

/**
 * Decodes the body of an Uplink by itself, as an Envelope delimits it.
 *
 * @param tag one of UplinkTag; anything else is answered with `unknown_body`
 * @param bytes exactly the body; no bytes are a body with every field at its zero
 */
export function decodeBody(tag: number, bytes: Uint8Array): Decoded<UplinkBody> {
  const decode = UPLINK_BODY[tag];
  if (!isUplinkTag(tag) || decode === undefined) {
    return { ok: false, error: { code: "unknown_body", detail: `no body of this version has tag ${tag}` } };
  }
  const error = checkBody(ARGUMENT[Message.UPLINK * FIELDS_PER_MESSAGE + tag] ?? 0, bytes);
  return error === null ? { ok: true, value: decode(bytes) } : { ok: false, error };
}

/** Walks a whole message, which has at least one byte. */
function check(message: number, bytes: Uint8Array): DecodeError | null {
  if (bytes.length === 0) return { code: "empty", detail: "a message has at least one byte" };
  return checkBody(message, bytes);
}

function checkBody(message: number, bytes: Uint8Array): DecodeError | null {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    return { code: "too_large", detail: `${bytes.length} bytes; at most ${MESSAGE_BYTES_MAX} are allowed` };
  }
  const end = walkAll(message, bytes, found);
  return end < 0 ? { code: failureOf(end), detail: placeOf(failureOf(end), message) } : null;
}

/** Where the walk stopped, for people: `out_of_range in Series.dtMs, field at byte 17 of Uplink`. */
function placeOf(code: DecodeErrorCode, message: number): string {
  return `${code} in ${fieldName(stop.message, stop.field)}, field at byte ${stop.at} of ${SCHEMA[message]?.name}`;
}
