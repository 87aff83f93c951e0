/** Failures of the simulator as people read them: what, why, do this, and the exit code of the command line. */

/** 1 failed · 2 the command line does not fit · 3 no gateway reached */
export type ExitCode = 1 | 2 | 3;

/** A failure that says what, why, and what to do. */
export class SimError extends Error {
  override readonly name = "SimError";
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  readonly exitCode: ExitCode;

  /** @param fix what the reader can do about it */
  constructor(what: string, why: string, fix: string, exitCode: ExitCode = 1) {
    super(`${what}: ${why}`);
    this.what = what;
    this.why = why;
    this.fix = fix;
    this.exitCode = exitCode;
  }
}

/** The command line does not fit. */
export function usageError(why: string, fix: string): SimError {
  return new SimError("the command line does not fit", why, fix, 2);
}

/** No gateway answers. */
export function unreachable(
  why: string,
  fix = "start one with `npm start` or `tidegate run`, then try again",
): SimError {
  return new SimError("no gateway can be reached", why, fix, 3);
}

/** Any thrown thing as a failure for people; null when nobody foresaw it. */
export function asSimError(thrown: unknown): SimError | null {
  if (thrown instanceof SimError) return thrown;
  if (!(thrown instanceof Error) || !("code" in thrown) || !("path" in thrown)) return null;
  return new SimError("a file cannot be used", thrown.message, "check that it may be written, and that there is space");
}

/** What any thrown thing says. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
