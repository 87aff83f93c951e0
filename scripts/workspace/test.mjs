// `npm test`: set-up, build, the checks, the whole suite, and a closing line that says how many passed and failed.
//
//   npm test                      everything
//   npm test -- PATH [options]    vitest alone, on what you name
//   --no-check                    leaves the checks out
//
// Where nothing may be skipped (CI=true or TIDEGATE_NO_SKIP=1) a skipped or todo test of the whole suite is a failure.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { skippingIsForbidden } from "../testing/skipping.mjs";
import { ensureBuilt } from "./build.mjs";
import { runChecks } from "./check.mjs";
import { runInherited } from "./run-step.mjs";
import { ensureSetup } from "./setup.mjs";

const VITEST = "node_modules/vitest/vitest.mjs";

/** `npm test`. */
export async function main(args) {
  const vitestArgs = args.filter((arg) => arg !== "--no-check");
  const isWhole = vitestArgs.length === 0;
  await ensureSetup();
  await ensureBuilt();
  const failedChecks = isWhole && !args.includes("--no-check") ? await runChecks() : 0;
  const { exitCode, counts } = await runVitest(vitestArgs);
  const isSkipFailure = isWhole && skippingIsForbidden() && (counts?.skipped.length ?? 0) > 0;
  if (isSkipFailure) reportSkips(counts.skipped);
  if (failedChecks > 0) console.log(`\n${failedChecks} of the checks failed; their output is above the tests`);
  if (counts !== null) console.log(`\n${closingLine(counts, failedChecks)}`);
  return exitCode !== 0 ? exitCode : failedChecks > 0 || isSkipFailure ? 1 : 0;
}

/** "1,204 tests" is for people; this exact form is for the programs that read the last line of a run. */
export function closingLine(counts, failedChecks) {
  const failed = counts.failed + counts.unhandledErrors + failedChecks;
  const skipped = counts.skipped.length === 0 ? "" : `, ${counts.skipped.length} skipped`;
  return `${counts.passed} passed, ${failed} failed${skipped}`;
}

async function runVitest(args) {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-test-"));
  const countsFile = join(folder, "counts.json");
  try {
    const env = { ...process.env, TIDEGATE_TEST_COUNTS: countsFile };
    const exitCode = await runInherited(process.execPath, [VITEST, "run", ...args], { env });
    return { exitCode, counts: readCounts(countsFile) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Null when vitest ended before it had anything to count. */
function readCounts(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

function reportSkips(skipped) {
  console.log(`\nerror: ${skipped.length} tests were skipped where nothing may be skipped`);
  console.log(`  why: CI=true or TIDEGATE_NO_SKIP=1 is set`);
  console.log(`  do:  install what they need (scripts/apt-packages.txt), or remove the skip or todo:`);
  for (const name of skipped) console.log(`         ${name}`);
}
