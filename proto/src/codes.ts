/**
 * The codes of the protocol: reasons, signal types and kinds, command states, with what a receiver does about them.
 *
 * The numbers are those of `device.proto` (a test compares them); the advice table is [P-30] of PROTOCOL.md. A code
 * this version does not know is decoded as UNSPECIFIED, so a newer peer may add codes [P-32].
 */

/** Why a message or a session was refused or ended. */
export const Reason = {
  UNSPECIFIED: 0,
  SHUTDOWN: 1,
  TAKEOVER: 2,
  BAD_CREDENTIAL: 3,
  REVOKED: 4,
  UNSUPPORTED_PROTOCOL: 5,
  PROTOCOL_VIOLATION: 6,
  MALFORMED: 7,
  TOO_LARGE: 8,
  SILENT: 9,
  HELLO_TIMEOUT: 10,
  OVERLOADED: 11,
  RATE_LIMITED: 12,
  CLONED_IDENTITY: 13,
  OUT_OF_ORDER: 14,
  STORAGE_FULL: 15,
  STORAGE_BUSY: 16,
  INTERNAL: 17,
  SLEEPING: 18,
} as const;
export type Reason = (typeof Reason)[keyof typeof Reason];

/** What a signal's values are, and so which field of a Series carries them. */
export const Type = {
  UNSPECIFIED: 0,
  BOOL: 1,
  INT: 2,
  LONG: 3,
  FLOAT: 4,
  DOUBLE: 5,
  TEXT: 6,
  ENUM: 7,
  BLOB: 8,
} as const;
export type Type = (typeof Type)[keyof typeof Type];

/** What the values of a signal mean over time. */
export const Kind = {
  UNSPECIFIED: 0,
  MEASUREMENT: 1,
  TOTAL: 2,
  TOTAL_INCREASING: 3,
  STATE: 4,
  EVENT: 5,
  SETPOINT: 6,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** How far a command has come on the device. */
export const CommandState = {
  UNSPECIFIED: 0,
  RECEIVED: 1,
  STARTED: 2,
  SUCCEEDED: 3,
  FAILED: 4,
  EXPIRED: 5,
  UNSUPPORTED: 6,
  INTERRUPTED: 7,
} as const;
export type CommandState = (typeof CommandState)[keyof typeof CommandState];

/**
 * What a device does after a session ended for a reason [P-30]:
 * `now` reconnects at once, `backOff` waits first (full jitter, and never less than `retry_after_ms`), `never` stops
 * trying and tells the application, with a very slow re-check (an hour), because credentials get fixed at the gateway.
 */
export type RetryAdvice = "now" | "backOff" | "never";

/** The advice of every reason [P-30]. */
export const RETRY_ADVICE: Readonly<Record<Reason, RetryAdvice>> = {
  [Reason.UNSPECIFIED]: "backOff",
  [Reason.SHUTDOWN]: "backOff",
  [Reason.TAKEOVER]: "backOff",
  [Reason.BAD_CREDENTIAL]: "never",
  [Reason.REVOKED]: "never",
  [Reason.UNSUPPORTED_PROTOCOL]: "never",
  [Reason.PROTOCOL_VIOLATION]: "backOff",
  [Reason.MALFORMED]: "backOff",
  [Reason.TOO_LARGE]: "backOff",
  [Reason.SILENT]: "now",
  [Reason.HELLO_TIMEOUT]: "backOff",
  [Reason.OVERLOADED]: "backOff",
  [Reason.RATE_LIMITED]: "backOff",
  [Reason.CLONED_IDENTITY]: "backOff",
  [Reason.OUT_OF_ORDER]: "now",
  [Reason.STORAGE_FULL]: "backOff",
  [Reason.STORAGE_BUSY]: "backOff",
  [Reason.INTERNAL]: "backOff",
  [Reason.SLEEPING]: "backOff",
};

const REASON_NAME = lowerNames(Reason);

/** The WebSocket close code of a reason is this plus the reason: 4000 … 4018, from the private range of RFC 6455. */
export const CLOSE_CODE_BASE = 4000;

/** The WebSocket close code that goes with each reason [P-31]. */
export const CLOSE_CODE: Readonly<Record<Reason, number>> = closeCodes();

/**
 * The reason a WebSocket close code stands for [P-31].
 *
 * @param code a close code as received, any number
 * @returns the reason, or UNSPECIFIED for a code that is not ours (1000 … 1015, or from a newer gateway)
 */
export function reasonOfCloseCode(code: number): Reason {
  return toReason(code - CLOSE_CODE_BASE);
}

/** A number from the wire as a Reason; UNSPECIFIED when this version does not know it [P-32]. */
export function toReason(code: number): Reason {
  return known(Reason, code);
}

/** A number from the wire as a Type; UNSPECIFIED when this version does not know it [P-32]. */
export function toType(code: number): Type {
  return known(Type, code);
}

/** A number from the wire as a Kind; UNSPECIFIED when this version does not know it [P-32]. */
export function toKind(code: number): Kind {
  return known(Kind, code);
}

/** A number from the wire as a CommandState; UNSPECIFIED when this version does not know it [P-32]. */
export function toCommandState(code: number): CommandState {
  return known(CommandState, code);
}

/** The name of a reason as it stands in logs, events and the API: `storage_full`. */
export function reasonName(reason: Reason): string {
  return REASON_NAME[reason] ?? "unspecified";
}

/** The name of a command state as it stands in logs, events and the API: `succeeded`. */
export function commandStateName(state: CommandState): string {
  return COMMAND_STATE_NAME[state] ?? "unspecified";
}

const COMMAND_STATE_NAME = lowerNames(CommandState);

/** Codes are dense from 0, so a code is known exactly when it is a whole number below their count. */
function known<T extends number>(codes: Readonly<Record<string, T>>, code: number): T {
  const count = Object.keys(codes).length;
  const isKnown = Number.isInteger(code) && code > 0 && code < count;
  return (isKnown ? code : 0) as T; // checked on the line above; the tables are dense, which a test proves
}

function lowerNames(codes: Readonly<Record<string, number>>): readonly string[] {
  return Object.keys(codes).map((name) => name.toLowerCase());
}

function closeCodes(): Readonly<Record<Reason, number>> {
  const entries = Object.values(Reason).map((reason) => [reason, CLOSE_CODE_BASE + reason]);
  return Object.fromEntries(entries) as Record<Reason, number>; // one entry for every value of Reason
}
