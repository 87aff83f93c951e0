/**
 * The SDK's failures, one row each. A code is public and is never renamed; the README lists them.
 * Every message says what happened, why, and what to do.
 */
export const ERROR_CODES = {
  BAD_OPTION: "an option or declaration is not allowed",
  DECLARED_LATE: "signals and commands are declared before start",
  STOPPED: "the device was stopped",
  FLUSH_TIMEOUT: "not everything was acknowledged in time",
  FLUSH_INCOMPLETE: "something reported was dropped before it was acknowledged",
  UNTRUSTED: "the peer did not prove that it is the gateway",
  OUTBOX_IN_USE: "another process has the outbox file open",
  OUTBOX_FOREIGN: "the outbox file belongs to another device",
  OUTBOX_CORRUPT: "the outbox file was damaged and has been moved aside",
  OUTBOX_WRITE: "the outbox file could not be written",
  BAD_FRAME: "the gateway sent something that cannot be decoded",
} as const;

/** One of `ERROR_CODES`. */
export type DeviceErrorCode = keyof typeof ERROR_CODES;

/** A failure with its code, why, and what to do about it. */
export class DeviceError extends Error {
  override readonly name = "DeviceError";
  readonly code: DeviceErrorCode;

  /**
   * @param code which row of `ERROR_CODES`
   * @param why the facts of this case
   * @param todo what the reader can do about it
   */
  constructor(code: DeviceErrorCode, why: string, todo: string, cause?: unknown) {
    super(`${ERROR_CODES[code]}: ${why}. ${todo}`, { cause });
    this.code = code;
  }
}

/** A value of the wrong type. A TypeError, because that is what it is in JavaScript. */
export function valueError(what: string, why: string, todo: string): TypeError {
  return new TypeError(`${what}: ${why}. ${todo}`);
}
