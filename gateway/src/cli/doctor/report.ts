/**
 * The checks for a person: a line each, the fix indented under what is not well. Edge room `cli`, pure.
 *
 *   ✓ node           Node 20.20.0 · ABI 115 · linux x64
 *   ✗ device port    something else listens on 0.0.0.0:8443
 *     → find what it is: …
 */
import type { Paint } from "../paint.js";
import { plain } from "../plain.js";
import type { Check, Verdict } from "./check.js";

const MARKS: Readonly<Record<Verdict, string>> = { ok: "✓", warn: "!", fail: "✗", skipped: "·" };

/** Longest name that others are aligned with; a serial path may be longer. */
const NAME_CHARS_ALIGNED_MAX = 24;

/** Did every check pass? Warnings are no failure. */
export function allWell(checks: readonly Check[]): boolean {
  return checks.every((check) => check.verdict !== "fail");
}

/** Lines for stdout, each ended by a newline. */
export function report(checks: readonly Check[], paint: Paint): string {
  const lengths = checks.map(({ name }) => plain(name).length).filter((length) => length <= NAME_CHARS_ALIGNED_MAX);
  const width = Math.max(0, ...lengths);
  return [...checks.flatMap((check) => linesOf(check, width, paint)), "", summary(checks), ""].join("\n");
}

function linesOf({ name, verdict, detail, fix }: Check, width: number, paint: Paint): string[] {
  const painter = { ok: paint.good, warn: paint.warn, fail: paint.bad, skipped: paint.dim }[verdict];
  // What was skipped needs no action, but often there is a next step.
  const said = verdict === "skipped" && fix !== null ? `${detail}; ${fix}` : detail;
  const [first = "", ...rest] = said.split("\n").map(plain);
  const indent = " ".repeat(width + 4);
  const lines = [`${painter(MARKS[verdict])} ${plain(name).padEnd(width)}  ${first}`];
  lines.push(...rest.map((line) => indent + line));
  if (fix !== null && verdict !== "skipped") lines.push(`${indent}→ ${plain(fix)}`);
  return lines;
}

function summary(checks: readonly Check[]): string {
  const count = (verdict: Verdict): number => checks.filter((check) => check.verdict === verdict).length;
  const [failed, warned] = [count("fail"), count("warn")];
  if (failed === 0 && warned === 0) return "all is well";
  const warnings = warned === 0 ? "" : `${warned} ${warned === 1 ? "thing" : "things"} to look at`;
  if (failed === 0) return `nothing failed, ${warnings}`;
  return `${failed} failed${warnings === "" ? "" : `, ${warnings}`}`;
}
