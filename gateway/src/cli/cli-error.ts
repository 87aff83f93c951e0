/**
 * Errors of the command line: what, why, do this, on three lines, and the exit code. Edge room `cli`.
 *
 *   0 done    1 failed    2 usage    3 no gateway reached    (`run` alone also ends with 74, 75, 78)
 */
import { asGatewayError, ERRORS, type ErrorCode, GatewayError } from "../core/errors.js";
import { plain } from "./plain.js";

/** A failure a gateway answered; its code may be one this version does not know. */
export class RemoteError extends Error {
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly status: number;

  constructor(status: number, error: { code: string; what: string; why: string; fix: string }) {
    super(`${error.what}: ${error.why}`);
    this.code = error.code;
    this.what = error.what;
    this.why = error.why;
    this.fix = error.fix;
    this.status = status;
  }
}

/** The command line does not fit: exit code 2, the lines say how it would. */
export class UsageError extends Error {
  readonly why: string;
  readonly fix: string;

  constructor(why: string, fix: string) {
    super(why);
    this.why = why;
    this.fix = fix;
  }
}

export interface ReportedError {
  /** What, why, do this. `why` may hold several lines when several things are wrong. */
  readonly lines: readonly [string, string, string];
  readonly code: string;
  readonly exitCode: number;
}

/** Any thrown thing as a person reads it. */
export function reported(thrown: unknown): ReportedError {
  if (thrown instanceof UsageError) {
    return { lines: ["the command line does not fit", thrown.why, thrown.fix], code: "E_USAGE", exitCode: 2 };
  }
  if (thrown instanceof RemoteError) {
    const { code, what, why, fix } = thrown;
    return { lines: [`${code}: ${what}`, why, fix], code, exitCode: remoteExit(thrown) };
  }
  const error = asGatewayError(thrown);
  return { lines: error.lines, code: error.code, exitCode: verbExit(error.code) };
}

/** The three lines with their marks, ready for stderr. Control characters of devices do not reach the terminal. */
export function errorText(error: ReportedError, paint: (text: string) => string): string {
  const [what, why, fix] = error.lines;
  const whyLines = why.split("\n").map(plain);
  return [`${paint("error:")} ${plain(what)}`, `  why: ${whyLines.join("\n       ")}`, `  do:  ${plain(fix)}`, ""].join(
    "\n",
  );
}

/** The table's exit codes are those of the daemon; a verb that failed for such a reason has simply failed. */
function verbExit(code: ErrorCode): number {
  const { exit } = ERRORS[code];
  return exit === 2 || exit === 3 ? exit : 1;
}

function remoteExit(error: RemoteError): number {
  if (isKnown(error.code)) return verbExit(error.code);
  return error.status === 400 || error.status === 422 ? 2 : 1;
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** The error for a gateway that does not answer. */
export function unreachable(why: string, fix?: string): GatewayError {
  return new GatewayError("E_UNREACHABLE", why, fix === undefined ? {} : { fix });
}
