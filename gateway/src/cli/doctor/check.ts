/** One line of `tidegate doctor`: what was looked at, what it came to, what to do about it. Edge room `cli`, pure. */

/**
 * `fail`: the gateway does not start or does not do its work. `warn`: it works, and something will hurt later.
 * `skipped`: there was nothing to look at, or something else must be put right first.
 */
export type Verdict = "ok" | "warn" | "fail" | "skipped";

/** Public: what `--json` prints. */
export interface Check {
  readonly name: string;
  readonly verdict: Verdict;
  /** The facts, without secrets; several lines when several things are wrong. */
  readonly detail: string;
  /** What to do; null when nothing is to be done. */
  readonly fix: string | null;
}

/** All is well. */
export const ok = (name: string, detail: string): Check => ({ name, verdict: "ok", detail, fix: null });

/** It works, but not for long or not well. */
export const warn = (name: string, detail: string, fix: string): Check => ({ name, verdict: "warn", detail, fix });

/** It does not work. */
export const fail = (name: string, detail: string, fix: string): Check => ({ name, verdict: "fail", detail, fix });

/** Nothing to look at. */
export const skipped = (name: string, detail: string, fix: string | null = null): Check => ({
  name,
  verdict: "skipped",
  detail,
  fix,
});
