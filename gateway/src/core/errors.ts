/**
 * The gateway's failures, one row each. A code is public: it is printed, answered by the API and documented in
 * docs/errors.md (a test keeps the two equal); it is never renamed or reused.
 *
 * Every error is three lines to a person: what happened, why, what to do.
 */
export type ExitCode = 1 | 2 | 3 | 74 | 75 | 78;

interface ErrorRow {
  /** What happened, a sentence without the facts. */
  readonly what: string;
  /** What the operator does about it. */
  readonly fix: string;
  /** Exit code when it ends the process: 1 failed, 2 usage, 3 not reachable, 74 I/O, 75 retryable, 78 configuration. */
  readonly exit: ExitCode;
  /** HTTP status when the API answers it. */
  readonly http: 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503;
}

const row = (what: string, fix: string, exit: ExitCode, http: ErrorRow["http"]): ErrorRow => ({
  what,
  fix,
  exit,
  http,
});

/** Every code a person can meet: its sentence, its advice, exit code, HTTP status. docs/errors.md explains each. */
export const ERRORS = {
  E_CONFIG_INVALID: row("the configuration does not fit the schema", "correct the line named above", 78, 400),
  E_CONFIG_UNREADABLE: row("the configuration file cannot be read", "check the path and its permissions", 78, 400),
  E_CONFIG_UNSAFE: row("the configuration would expose the gateway", "follow the advice above", 78, 400),
  E_NODE_TOO_OLD: row("this Node is too old", "install Node 20.19 or later", 78, 500),
  E_DATA_DIR: row("the data folder cannot be used", "make it writable for the gateway's user", 74, 500),
  E_DATA_DIR_LOCKED: row("another gateway uses this data folder", "stop it, or choose another dataDir", 75, 409),
  E_PORT_BUSY: row("a port is taken", "stop what listens there, or choose another port", 75, 503),
  E_LISTEN: row("a port cannot be opened", "check the address and the rights to it", 78, 500),
  E_TLS_FILES: row("the TLS certificate or key cannot be used", "check the files named above", 78, 500),
  E_STORE_CORRUPT: row("a database is damaged", "it was moved aside; see docs/operations.md", 74, 500),
  E_STORE_NEWER: row("a database was written by a newer version", "install that version, or restore the copy", 78, 500),
  E_STORE_IO: row("the disk failed while writing", "check the disk; nothing unwritten was acknowledged", 74, 500),
  E_STORE_FULL: row("the spool is full", "make space, raise storage.quota, or bring a sink back", 75, 503),
  E_STORE_BUSY: row("the store cannot take this right now", "try again shortly", 75, 503),
  E_BACKUP_INVALID: row("the file is no whole backup", "use another copy of it, or an older backup", 1, 400),
  E_BACKUP_PLACE: row("the place is taken", "choose another place", 1, 409),
  E_SERIAL_DENIED: row("a serial line may not be opened", "add the user to the group that owns it", 75, 503),
  E_SERIAL_BUSY: row("a serial line is in use", "close the program that has it open", 75, 503),
  E_SERIAL_MISSING: row("a serial line is not there", "plug it in, or see `tidegate serial ls`", 75, 503),
  E_SERIAL: row("a serial line failed", "check the cable and the path", 75, 503),
  E_SERIAL_SILENT: row("no device answered on the serial line", "check the speed, the cable and its firmware", 75, 503),
  E_UNREACHABLE: row("no running gateway was found", "start one with `tidegate run`, or name it with --url", 3, 503),
  E_UNAUTHORIZED: row("the request carries no valid credential", "send the admin token or log in", 1, 401),
  E_FORBIDDEN: row("the request is not allowed", "see the reason above", 1, 403),
  E_NOT_FOUND: row("there is no such thing", "check the name", 1, 404),
  E_BAD_REQUEST: row("the request does not fit", "correct the field named above", 2, 400),
  E_TOO_LARGE: row("the request is too large", "send less at once", 2, 413),
  E_TOO_MANY: row("too many at once", "wait and try again", 75, 429),
  E_DEVICE_EXISTS: row("a device of that id exists", "choose another id, or `tidegate device replace`", 1, 409),
  E_DEVICE_UNKNOWN: row("there is no such device", "see `tidegate device ls`", 1, 404),
  E_HISTORY_OFF: row("charts over time are off", "set history.enabled to true, and restart the gateway", 1, 409),
  E_NAME_INVALID: row(
    "the name is not allowed",
    "use letters, digits, - and _, up to 63, starting with a letter or digit",
    2,
    400,
  ),
  E_COMMAND_UNKNOWN: row("there is no such command", "see `tidegate command ls`", 1, 404),
  E_COMMAND_LIMIT: row("too many commands wait for this device", "wait for them or cancel some", 75, 429),
  E_COMMAND_STATE: row("the command can no longer be changed", "see its state with `tidegate command show`", 1, 409),
  E_COMMAND_ARGS: row("the arguments are not valid JSON or too long", "pass JSON of at most 32 KiB", 2, 400),
  E_IDEMPOTENCY_CONFLICT: row(
    "the idempotency key was used for another request",
    "use a new key for a new command",
    1,
    409,
  ),
  E_SINK_UNKNOWN: row("there is no such sink", "see `tidegate sink ls`", 1, 404),
  E_SINK_REFUSED: row("the broker refused the connection", "see the reason above", 1, 503),
  E_SINK_NO_CONSUMER: row("nobody reads what the sink sends", "start the consumer; the backlog waits for it", 1, 503),
  E_SINK_CONFIGURED: row("the sink is still configured", "take it out of tidegate.yaml and restart first", 1, 409),
  E_QUARANTINE_UNKNOWN: row("no such record is in quarantine there", "see the sink's quarantine list", 1, 404),
  E_SINK_UNAVAILABLE: row("a sink could not be reached", "check its url and the network", 1, 503),
  E_SIM_MISSING: row("the simulator is not installed", "run it from the repository, or install firmware-sim", 1, 500),
  E_INTERNAL: row("the gateway failed", "report it with the log lines around it", 1, 500),
} as const satisfies Record<string, ErrorRow>;

/** A code of `ERRORS`; a contract with scripts, never renamed. */
export type ErrorCode = keyof typeof ERRORS;

/** A failure with its code, the reason in words, and what to do. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;
  /** Why, in one sentence with the facts; never a secret. */
  readonly why: string;
  /** What to do, when the table's general advice can be made exact. */
  readonly fix: string;

  constructor(code: ErrorCode, why: string, options: { fix?: string; cause?: unknown } = {}) {
    super(`${ERRORS[code].what}: ${why}`, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.why = why;
    this.fix = options.fix ?? ERRORS[code].fix;
  }

  get exitCode(): ExitCode {
    return ERRORS[this.code].exit;
  }

  get httpStatus(): ErrorRow["http"] {
    return ERRORS[this.code].http;
  }

  /** The three lines a person reads: what, why, do this. */
  get lines(): [string, string, string] {
    return [`${this.code}: ${ERRORS[this.code].what}`, this.why, this.fix];
  }
}

/** Any thrown thing as a GatewayError; unknown ones become E_INTERNAL and keep their cause. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new GatewayError("E_INTERNAL", why, { cause: thrown });
}
