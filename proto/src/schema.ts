/**
 * The schema as a table of what to check, field by field. The walk runs over it for every byte that comes in, the
 * encoder's range check for every value that goes out; so both sides keep one set of limits.
 *
 * `OPERATION[message * 32 + field]` says what to do with a field, 0 means unknown; `ARGUMENT[…]` is its byte limit or
 * its child message. Flat typed arrays, because the walk sits on the path of every frame. A test compares the
 * table with `device.proto`, so no field can be forgotten here.
 */
import {
  COMMANDS_PER_CATALOG_MAX,
  DETAIL_BYTES_MAX,
  LABEL_BYTES_MAX,
  LOG_TEXT_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  NAME_BYTES_MAX,
  OPTIONS_PER_SIGNAL_MAX,
  PAYLOAD_BYTES_MAX,
  PROOF_BYTES_MAX,
  SERIES_PER_TELEMETRY_MAX,
  SIGNALS_PER_CATALOG_MAX,
  TEXT_VALUE_BYTES_MAX,
} from "./limits.js";

/** What to do with a field. */
export const Op = {
  SKIP: 0,
  U32: 1,
  S32: 2,
  ENUM: 3,
  BOOL: 4,
  U53: 5,
  FIXED32: 6,
  DOUBLE: 7,
  TEXT: 8,
  BYTES: 9,
  /** One sub-message, the body of an Uplink or a Downlink. */
  BODY: 10,
  /** Captured into the envelope: */
  SEQ: 11,
  GAP: 12,
  BASE_UPTIME: 13,
  BASE_UNIX: 14,
  NONCE: 15,
  LOG_UPTIME: 16,
  /** Repeated and counted: */
  SERIES: 17,
  SIGNAL: 18,
  COMMAND_SPEC: 19,
  OPTION: 20,
  /** The columns of a series: */
  DT: 21,
  INTS: 22,
  FLOATS: 23,
  DOUBLES: 24,
  LONGS: 25,
  TEXTS: 26,
  BLOBS: 27,
} as const;

/** The messages, by their row in the table. */
export const Message = {
  UPLINK: 0,
  DOWNLINK: 1,
  HELLO: 2,
  WELCOME: 3,
  HEARTBEAT: 4,
  ACK: 5,
  NACK: 6,
  FLOW: 7,
  BYE: 8,
  SAY_HELLO: 9,
  LOG: 10,
  TELEMETRY: 11,
  SERIES: 12,
  CATALOG: 13,
  SIGNAL: 14,
  COMMAND_SPEC: 15,
  COMMAND: 16,
  COMMAND_UPDATE: 17,
} as const;

/** One field: number, name in messages.ts, operation, byte limit or child message. */
export type FieldSpec = readonly [number: number, name: string, op: number, argument?: number];

/** Every message with every field; the row is the Message number. */
export const SCHEMA: readonly { readonly name: string; readonly fields: readonly FieldSpec[] }[] = [
  {
    name: "Uplink",
    fields: [
      [1, "seq", Op.SEQ],
      [2, "gap", Op.GAP],
      [3, "hello", Op.BODY, Message.HELLO],
      [4, "heartbeat", Op.BODY, Message.HEARTBEAT],
      [5, "telemetry", Op.BODY, Message.TELEMETRY],
      [6, "commandUpdate", Op.BODY, Message.COMMAND_UPDATE],
      [7, "catalog", Op.BODY, Message.CATALOG],
      [8, "bye", Op.BODY, Message.BYE],
      [9, "log", Op.BODY, Message.LOG],
    ],
  },
  {
    name: "Downlink",
    fields: [
      [1, "welcome", Op.BODY, Message.WELCOME],
      [2, "ack", Op.BODY, Message.ACK],
      [3, "nack", Op.BODY, Message.NACK],
      [4, "heartbeat", Op.BODY, Message.HEARTBEAT],
      [5, "command", Op.BODY, Message.COMMAND],
      [6, "flow", Op.BODY, Message.FLOW],
      [7, "bye", Op.BODY, Message.BYE],
      [8, "sayHello", Op.BODY, Message.SAY_HELLO],
    ],
  },
  {
    name: "Hello",
    fields: [
      [1, "protocol", Op.U32],
      [2, "deviceId", Op.TEXT, NAME_BYTES_MAX],
      [3, "bootNonce", Op.FIXED32],
      [4, "attempt", Op.U32],
      [5, "epoch", Op.FIXED32],
      [6, "nextSeq", Op.U32],
      [7, "oldest", Op.U32],
      [8, "ackedSeq", Op.U32],
      [9, "uptimeMs", Op.U32],
      [10, "maxRxBytes", Op.U32],
      [11, "catalogHash", Op.FIXED32],
      [12, "firmware", Op.TEXT, LABEL_BYTES_MAX],
      [13, "model", Op.TEXT, LABEL_BYTES_MAX],
      [14, "sleepMs", Op.U32],
      [15, "lastCommand", Op.U32],
      [16, "outboxFrames", Op.U32],
      [17, "proof", Op.BYTES, PROOF_BYTES_MAX],
      [18, "closing", Op.BOOL],
    ],
  },
  {
    name: "Welcome",
    fields: [
      [1, "attempt", Op.U32],
      [2, "bootNonce", Op.FIXED32],
      [3, "epoch", Op.FIXED32],
      [4, "ackedSeq", Op.U32],
      [5, "keepaliveMs", Op.U32],
      [6, "window", Op.U32],
      [7, "unixMs", Op.U53],
      [8, "wantCatalog", Op.BOOL],
      [9, "maxUplinkBytes", Op.U32],
    ],
  },
  {
    name: "Heartbeat",
    fields: [
      [1, "uptimeMs", Op.U32],
      [2, "unixMs", Op.U53],
      [3, "ping", Op.U32],
      [4, "nextSeq", Op.U32],
      [5, "oldest", Op.U32],
    ],
  },
  { name: "Ack", fields: [[1, "seq", Op.U32]] },
  {
    name: "Nack",
    fields: [
      [1, "expected", Op.U32],
      [2, "reason", Op.ENUM],
      [3, "retryAfterMs", Op.U32],
    ],
  },
  { name: "Flow", fields: [[1, "window", Op.U32]] },
  {
    name: "Bye",
    fields: [
      [1, "reason", Op.ENUM],
      [2, "retryAfterMs", Op.U32],
      [3, "detail", Op.TEXT, DETAIL_BYTES_MAX],
    ],
  },
  { name: "SayHello", fields: [] },
  {
    name: "Log",
    fields: [
      [1, "uptimeMs", Op.LOG_UPTIME],
      [2, "level", Op.U32],
      [3, "text", Op.TEXT, LOG_TEXT_BYTES_MAX],
    ],
  },
  {
    name: "Telemetry",
    fields: [
      [1, "uptimeMs", Op.BASE_UPTIME],
      [2, "unixMs", Op.BASE_UNIX],
      [3, "series", Op.SERIES, Message.SERIES],
      [4, "bootNonce", Op.NONCE],
    ],
  },
  {
    name: "Series",
    fields: [
      [1, "signal", Op.U32],
      [2, "dtMs", Op.DT],
      [3, "periodUs", Op.U32],
      [4, "quality", Op.U32],
      [5, "ints", Op.INTS],
      [6, "floats", Op.FLOATS],
      [7, "doubles", Op.DOUBLES],
      [8, "longs", Op.LONGS],
      [9, "texts", Op.TEXTS, TEXT_VALUE_BYTES_MAX],
      [10, "blobs", Op.BLOBS, MESSAGE_BYTES_MAX],
    ],
  },
  {
    name: "Catalog",
    fields: [
      [1, "hash", Op.FIXED32],
      [2, "part", Op.U32],
      [3, "parts", Op.U32],
      [4, "signals", Op.SIGNAL, Message.SIGNAL],
      [5, "commands", Op.COMMAND_SPEC, Message.COMMAND_SPEC],
    ],
  },
  {
    name: "Signal",
    fields: [
      [1, "id", Op.U32],
      [2, "key", Op.TEXT, NAME_BYTES_MAX],
      [3, "name", Op.TEXT, LABEL_BYTES_MAX],
      [4, "type", Op.ENUM],
      [5, "unit", Op.TEXT, LABEL_BYTES_MAX],
      [6, "deviceClass", Op.TEXT, LABEL_BYTES_MAX],
      [7, "kind", Op.ENUM],
      [8, "scale", Op.S32],
      [9, "intervalMs", Op.U32],
      [10, "min", Op.DOUBLE],
      [11, "max", Op.DOUBLE],
      [12, "options", Op.OPTION, LABEL_BYTES_MAX],
    ],
  },
  {
    name: "CommandSpec",
    fields: [
      [1, "code", Op.U32],
      [2, "name", Op.TEXT, NAME_BYTES_MAX],
      [3, "atMostOnce", Op.BOOL],
      [4, "argsHint", Op.TEXT, DETAIL_BYTES_MAX],
    ],
  },
  {
    name: "Command",
    fields: [
      [1, "id", Op.U32],
      [2, "code", Op.U32],
      [3, "name", Op.TEXT, NAME_BYTES_MAX],
      [4, "args", Op.BYTES, PAYLOAD_BYTES_MAX],
      [5, "deadlineUptimeMs", Op.U32],
      [6, "atMostOnce", Op.BOOL],
    ],
  },
  {
    name: "CommandUpdate",
    fields: [
      [1, "id", Op.U32],
      [2, "state", Op.ENUM],
      [3, "result", Op.BYTES, PAYLOAD_BYTES_MAX],
      [4, "error", Op.TEXT, DETAIL_BYTES_MAX],
    ],
  },
];

/** How often a counted field may stand in its message, by operation. */
export const REPEATS_MAX: Readonly<Record<number, number>> = {
  [Op.SERIES]: SERIES_PER_TELEMETRY_MAX,
  [Op.SIGNAL]: SIGNALS_PER_CATALOG_MAX,
  [Op.COMMAND_SPEC]: COMMANDS_PER_CATALOG_MAX,
  [Op.OPTION]: OPTIONS_PER_SIGNAL_MAX,
};

/** Field numbers from here on are unknown to every message of this version. */
export const FIELDS_PER_MESSAGE = 32;

/** Operation of `message * 32 + field`. */
export const OPERATION = new Uint8Array(SCHEMA.length * FIELDS_PER_MESSAGE);

/** Byte limit or child message of `message * 32 + field`. */
export const ARGUMENT = new Uint32Array(SCHEMA.length * FIELDS_PER_MESSAGE);

SCHEMA.forEach(({ fields }, message) => {
  for (const [number, , op, argument] of fields) {
    OPERATION[message * FIELDS_PER_MESSAGE + number] = op;
    ARGUMENT[message * FIELDS_PER_MESSAGE + number] = argument ?? 0;
  }
});

/** `Hello.device_id`'s name for messages: `Hello.deviceId`; an unknown field by its number. */
export function fieldName(message: number, field: number): string {
  const spec = SCHEMA[message];
  const known = spec?.fields.find(([number]) => number === field);
  return `${spec?.name ?? "?"}.${known?.[1] ?? `#${field}`}`;
}
