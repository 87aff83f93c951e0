// `npm run check`: everything that can be told without running the product, one line each, whole output on failure.
//
//   types ─ lint ─ tidy ─ proto lint and breaking change ─ generated code ─ generated docs ─ hardware
//
// A part that fails does not stop the others: one run shows everything that is wrong.

import { existsSync } from "node:fs";
import { TSC } from "./build.mjs";
import { formatDuration, inRoot } from "./report.mjs";
import { runStep } from "./run-step.mjs";
import { ensureSetup } from "./setup.mjs";

const BIOME = "node_modules/@biomejs/biome/bin/biome";

/** Every part in order; a part whose script is absent is left out (`optional`), as in a partial checkout. */
const PARTS = [
  { name: "types", args: [TSC, "-b", "--pretty", "false"] },
  { name: "types of tests", args: [TSC, "-p", "tsconfig.tests.json", "--pretty", "false"] },
  { name: "lint and format", args: [BIOME, "check", "--max-diagnostics=200", "--colors=off"] },
  { name: "tidy", args: ["scripts/tidy/tidy.mjs"] },
  { name: "proto lint and breaking change", args: ["scripts/proto-check.mjs"], optional: true },
  { name: "generated code", args: ["scripts/codegen.mjs", "--check"], optional: true },
  { name: "generated docs", args: ["scripts/docs-check.mjs"], optional: true },
  { name: "hardware", args: ["scripts/hardware-check.mjs"], optional: true },
];

/** `npm run check`. */
export async function main() {
  await ensureSetup();
  const failedCount = await runChecks();
  return failedCount === 0 ? 0 : 1;
}

/**
 * Runs every part.
 * @returns {Promise<number>} how many failed
 */
export async function runChecks(parts = PARTS, print = console.log) {
  let failedCount = 0;
  for (const part of parts) {
    if (part.optional === true && !existsSync(inRoot(part.args[0]))) continue;
    const { exitCode, output, durationMs } = await runStep(process.execPath, part.args);
    const outcome = exitCode === 0 ? "ok    " : "FAILED";
    print(`  ${outcome}  ${part.name}${summaryOf(output, exitCode)}  ${formatDuration(durationMs)}`);
    if (exitCode === 0) continue;
    failedCount += 1;
    print(`\n${output.trimEnd()}\n`);
  }
  return failedCount;
}

/** Warnings that did not fail a part are worth a word. */
function summaryOf(output, exitCode) {
  if (exitCode !== 0) return "";
  const warnings = output.match(/(\d+) warnings?\b/);
  return warnings === null ? "" : ` (${warnings[0]})`;
}
