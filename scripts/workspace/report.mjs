// How the scripts speak: an error is three lines (what, why, do this), durations are short, paths come from one place.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the repository. */
export const inRoot = (...parts) => join(ROOT, ...parts);

/** An error that is printed as it is, without a stack: what happened, why, and what to do; `details` follow below. */
export class Report extends Error {
  constructor({ what, why, action, details = "" }) {
    const tail = details === "" ? "" : `\n\n${details}`;
    super(`error: ${what}\n  why: ${why}\n  do:  ${action}${tail}`);
    this.isReport = true;
  }
}

/** "0.4 s", "43 s", "2 min 05 s". */
export function formatDuration(durationMs) {
  const seconds = durationMs / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** The last lines of a text, blank ones left out. */
export function lastLines(text, linesMax) {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-linesMax)
    .join("\n");
}
