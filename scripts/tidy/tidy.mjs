// `npm run tidy`: properties of the code itself that no compiler checks. Pure rules over the texts of the repository.
//
//   files ─► rules ─► problems ─► less exceptions ─► report, exit 1 on an error
//
// Exceptions stand in exceptions.mjs, each with a reason; warnings (sizes near their limit) never fail.

import { pathToFileURL } from "node:url";
import { ROOT } from "../workspace/report.mjs";
import { checkBanned } from "./banned.mjs";
import { checkCIncludes, checkCitations, checkErrorCodes, checkTests } from "./evidence.mjs";
import { EXCEPTIONS } from "./exceptions.mjs";
import { checkDependencies, checkLockFile, checkPlaces } from "./hygiene.mjs";
import { checkCycles, checkLayers } from "./layers.mjs";
import { readRepository } from "./repository.mjs";
import { checkSizes } from "./sizes.mjs";
import { checkTyping } from "./typing.mjs";
import { checkWords } from "./words.mjs";

const CHECKS = [
  checkLayers,
  checkCycles,
  checkSizes,
  checkBanned,
  checkTyping,
  checkWords,
  checkCitations,
  checkErrorCodes,
  checkTests,
  checkCIncludes,
  checkPlaces,
  checkLockFile,
  checkDependencies,
];

/** @typedef {{ rule: string, path: string, line: number, message: string, level?: "error" | "warning" }} Problem */

/**
 * Judges a repository.
 * @param {import("./repository.mjs").Repository} repository
 * @param {{ rule: string, path: string, contains?: string, reason: string }[]} exceptions
 * @returns {Problem[]} sorted by path and line; what an exception covers is left out, an idle exception is a problem
 */
export function tidy(repository, exceptions = EXCEPTIONS) {
  const isUsed = new Set();
  const kept = CHECKS.flatMap((check) => check(repository)).filter((problem) => {
    const covering = exceptions.find(
      ({ rule, path, contains = "" }) =>
        rule === problem.rule && path === problem.path && problem.message.includes(contains),
    );
    if (covering !== undefined) isUsed.add(covering);
    return covering === undefined;
  });
  for (const exception of exceptions) {
    if (isUsed.has(exception)) continue;
    const message = `the exception for ${exception.path} (${exception.rule}) is no longer needed; remove it`;
    kept.push({ rule: "exceptions", path: "scripts/tidy/exceptions.mjs", line: 1, message });
  }
  return kept.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
}

/** Errors one by one; warnings as a count per rule, or one by one when asked for. */
function printReport(problems, { fileCount, showsWarnings }) {
  const warnings = problems.filter(({ level }) => level === "warning");
  for (const problem of problems) {
    if (problem.level === "warning" && !showsWarnings) continue;
    const level = problem.level === "warning" ? "warning " : "";
    console.log(`${problem.path}:${problem.line}  ${level}${problem.rule}: ${problem.message}`);
  }
  const errorCount = problems.length - warnings.length;
  const hint = warnings.length === 0 || showsWarnings ? "" : ` (${countByRule(warnings)}; --warnings shows them)`;
  console.log(`tidy: ${fileCount} files, ${errorCount} errors, ${warnings.length} warnings${hint}`);
  return errorCount;
}

function countByRule(problems) {
  const counts = new Map();
  for (const { rule } of problems) counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return [...counts].map(([rule, count]) => `${rule} ${count}`).join(", ");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const repository = readRepository(ROOT);
  const options = { fileCount: repository.files.length, showsWarnings: process.argv.includes("--warnings") };
  process.exitCode = printReport(tidy(repository), options) === 0 ? 0 : 1;
}
