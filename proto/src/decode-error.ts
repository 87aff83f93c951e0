/**
 * What decoding answers: a value, or a typed error. Nothing in this package throws because of what a peer sent.
 *
 * The codes are in a fixed order because the walk (walk.ts) passes them around as small negative numbers.
 */

/** Every way bytes can fail to be a message. The meaning of each stands in `DECODE_ERROR_MEANING`. */
export const DECODE_ERROR_CODES = [
  "empty",
  "truncated",
  "malformed",
  "too_large",
  "too_long",
  "too_many",
  "wrong_type",
  "out_of_range",
  "bad_utf8",
  "conflicting_body",
  "conflicting_base",
  "mixed_values",
  "unknown_body",
] as const;
/** Why bytes are no message; one of DECODE_ERROR_CODES. */
export type DecodeErrorCode = (typeof DECODE_ERROR_CODES)[number];

/** One line per code, for logs, error tables and PROTOCOL.md [P-29]. */
export const DECODE_ERROR_MEANING: Readonly<Record<DecodeErrorCode, string>> = {
  empty: "no bytes at all",
  truncated: "a field or a length runs past the end",
  malformed: "no protobuf: a field number 0, a group, a varint that does not end, a tag or length beyond 32 bits",
  too_large: "the message is longer than 65,536 bytes",
  too_long: "a text or a byte string is longer than its field allows",
  too_many: "more series, samples, signals, commands or options than a message may carry",
  wrong_type: "a known field with the wire type of another type",
  out_of_range: "a number that does not fit its field, or more times than values in a series",
  bad_utf8: "a text that is not UTF-8",
  conflicting_body: "two bodies in one message",
  conflicting_base: "a Telemetry with both an uptime and a unix base",
  mixed_values: "a series with more than one kind of value",
  unknown_body: "a body tag this version does not know was asked to be decoded",
};

/** Why bytes were refused. `detail` names the field and the byte offset; for people, never to be parsed. */
export interface DecodeError {
  code: DecodeErrorCode;
  detail: string;
}

/** A decoded value, or why there is none. */
export type Decoded<T> = { ok: true; value: T } | { ok: false; error: DecodeError };
