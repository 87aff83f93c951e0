// A vitest reporter beside the default one: it says what was skipped and how to un-skip it, and leaves the counts for
// `scripts/test.mjs`, which decides whether a skip is allowed (never in CI) and prints the closing line.
//
//   vitest ──onTestRunEnd──► counts ──► $TIDEGATE_TEST_COUNTS (JSON)
//                                └────► "3 tests skipped; to run them: apt-get install mosquitto"

import { writeFileSync } from "node:fs";
import { INSTALL_NOTE } from "./requires.mjs";

/** @typedef {{ passed: number, failed: number, skipped: string[], unhandledErrors: number }} TestCounts */

/** Walks every module of a finished run and counts by outcome; a skipped test is listed by its full name. */
export function countTests(testModules, unhandledErrors) {
  const counts = { passed: 0, failed: 0, skipped: [], unhandledErrors: unhandledErrors.length };
  for (const testModule of testModules) {
    // A file that throws while it is collected has no tests, yet it is a failure.
    if (testModule.errors().length > 0) counts.failed += 1;
    for (const test of testModule.children.allTests()) {
      const state = test.result().state;
      if (state === "passed") counts.passed += 1;
      else if (state === "failed") counts.failed += 1;
      else counts.skipped.push(test.fullName);
    }
  }
  return counts;
}

/** The packages named in the titles of skipped tests, each once, in alphabetical order. */
export function packagesToInstall(skippedNames) {
  const packages = new Set();
  for (const name of skippedNames) {
    for (const match of name.matchAll(INSTALL_NOTE)) {
      for (const packageName of match[1].split(" ")) packages.add(packageName);
    }
  }
  return [...packages].sort();
}

/** The reporter itself; vitest makes one per run. */
export default class SkipReporter {
  onTestRunEnd(testModules, unhandledErrors) {
    const counts = countTests(testModules, unhandledErrors);
    const countsFile = process.env.TIDEGATE_TEST_COUNTS;
    if (countsFile !== undefined) writeFileSync(countsFile, JSON.stringify(counts));
    const packages = packagesToInstall(counts.skipped);
    if (packages.length > 0) {
      console.log(
        `\n  some tests need programs this machine lacks; to run them: apt-get install ${packages.join(" ")}`,
      );
    }
  }
}
