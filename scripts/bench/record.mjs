// The history of the numbers: one line of JSON per recorded run, in docs/benchmarks.jsonl, so that a release can be
// held against the ones before it. Ratios compare across machines, numbers do not: each line says on what it was made.

import { appendFileSync } from "node:fs";
import { inRoot } from "../workspace/report.mjs";

export const RECORD_FILE = "docs/benchmarks.jsonl";

/**
 * One line, without its line break.
 * @param {{ at: string, mode: "quick" | "full", machine: Record<string, unknown>, rows: object[] }} report
 */
export function recordLine({ at, mode, machine, rows }) {
  const { cpu, memory, system, disk, load, isBusy, versions } = machine;
  const short = rows.map(({ id, unit, ours, peers, ratio, against, direction, target, met, columns }) => ({
    ...{ id, unit, ours, peers, ratio, against, direction, target, met },
    cost: columns.ours ?? null,
  }));
  return JSON.stringify({ at, mode, machine: { cpu, memory, system, disk, load, isBusy }, versions, rows: short });
}

/** Append a run. */
export function record(report) {
  appendFileSync(inRoot(RECORD_FILE), `${recordLine(report)}\n`);
}
