// Set-up: brings a fresh clone, or one whose lock file or Node changed, to the point where it can be built.
//
//   whatIsNeeded ─► nothing ─────────────────────────────► done (a few milliseconds)
//                ├► adopt ───────────────────────┐
//                ├► rebuild ─► npm rebuild ──────┤─► load better-sqlite3 ─► write stamp
//                └► install ─► npm ci ───────────┘
//
// One process at a time; the others wait, and then find that nothing is left to do.

import { existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exclusively } from "./exclusive.mjs";
import { runNpm } from "./npm.mjs";
import { startProgress } from "./progress.mjs";
import { formatDuration, lastLines, Report, ROOT } from "./report.mjs";
import { runStep } from "./run-step.mjs";
import { currentStamp, whatIsNeeded, writeStamp } from "./stamp.mjs";

const NATIVE_PACKAGE = "better-sqlite3";
const LOG_LINES_SHOWN = 15;

/** The lock file that set-up and build share. */
export const lockFile = (root) => join(root, ".setup.lock");

/** Says who we are waiting for; the wait itself is silent. */
export const announceWait = (pid) => console.error(`  waiting for another set-up or build here (process ${pid})`);

/** `npm run setup`. */
export async function main() {
  const wasNeeded = await ensureSetup();
  if (!wasNeeded) console.log("set-up: nothing to do");
  return 0;
}

/**
 * Installs what is missing.
 * @returns {Promise<boolean>} whether anything had to be done
 * @throws Report when npm fails or the native module does not load
 */
export async function ensureSetup(root = ROOT) {
  if (whatIsNeeded(root) === "nothing") return false;
  return exclusively(
    lockFile(root),
    async () => {
      const needed = whatIsNeeded(root);
      if (needed !== "nothing") await perform(needed, root);
      return needed !== "nothing";
    },
    { onWait: announceWait },
  );
}

async function perform(needed, root) {
  const startedAtMs = Date.now();
  if (needed === "rebuild") await npmStep(["rebuild", NATIVE_PACKAGE, "--foreground-scripts"], root);
  if (needed === "install") await npmStep(["ci", "--no-audit", "--no-fund", "--foreground-scripts"], root);
  let problem = await nativeProblem(root);
  if (problem !== null && needed === "adopt") {
    // Installed by hand under another Node: the packages are right, the compiled part is not.
    await npmStep(["rebuild", NATIVE_PACKAGE, "--foreground-scripts"], root);
    problem = await nativeProblem(root);
  }
  if (problem !== null) throw nativeReport(problem);
  writeStamp(root, currentStamp(root));
  if (needed !== "adopt") console.error(`  set-up: done in ${formatDuration(Date.now() - startedAtMs)}`);
}

async function npmStep(args, root) {
  const logFile = join(tmpdir(), `tidegate-setup-${process.pid}.log`);
  const progress = startProgress("set-up", () => installPhase(root, args[0]));
  const exitCode = await runNpm(args, { cwd: root, logFile }).finally(() => progress.stop());
  if (exitCode === 0) {
    rmSync(logFile, { force: true });
    return;
  }
  const log = readFileSync(logFile, "utf8");
  throw new Report({
    what: `the packages could not be installed (npm ${args[0]} ended with ${exitCode})`,
    why: firstCause(log),
    action: adviceFor(log),
    details: `the end of ${logFile}:\n${lastLines(log, LOG_LINES_SHOWN)}`,
  });
}

/** What npm is busy with, told by what lies on the disk: npm itself says nothing while it works. */
export function installPhase(root, verb) {
  const folder = join(root, "node_modules", NATIVE_PACKAGE);
  if (verb === "ci" && !existsSync(folder)) return "fetching packages";
  const isCompiling = existsSync(join(folder, "build", "Makefile"));
  const isCompiled = existsSync(join(folder, "build", "Release", "better_sqlite3.node"));
  if (isCompiling && !isCompiled) return `compiling ${NATIVE_PACKAGE} (one to two minutes)`;
  return isCompiled ? "finishing" : "unpacking packages";
}

/** The first line of npm's log that names a cause. */
function firstCause(log) {
  const lines = log.split("\n").map((line) => line.trim());
  const cause =
    lines.find((line) => /^npm (error|ERR!) (?!code|A complete log|path|command)/.test(line)) ??
    lines.find((line) => /^gyp ERR! (?!build error|cwd|node)/.test(line)) ??
    lastLines(log, 1);
  return cause === "" ? "npm said nothing" : cause.replace(/^npm (error|ERR!) /, "");
}

function adviceFor(log) {
  if (/ENOTFOUND|ETIMEDOUT|EAI_AGAIN|ECONNREFUSED|ECONNRESET/.test(log) && !/gyp ERR!/.test(log)) {
    return "check the network or your npm registry setting, then run this again";
  }
  if (/gyp ERR!/.test(log)) return "apt-get install python3 make g++, then run this again";
  if (/ENOSPC/.test(log)) return "free some disk space (about 600 MB are needed), then run this again";
  if (/EACCES|EPERM/.test(log)) return "clone into a folder you own, then run this again";
  if (/can only install packages when|EUSAGE/.test(log)) return "run `npm install` once to mend package-lock.json";
  return "read the lines below, mend the cause and run this again";
}

/** Null when the compiled module loads and answers in a fresh process; else what it said. */
async function nativeProblem(root) {
  const probe = `new (require("${NATIVE_PACKAGE}"))(":memory:").prepare("select 1").get()`;
  const { exitCode, output } = await runStep(process.execPath, ["-e", probe], { cwd: root });
  if (exitCode === 0) return null;
  return output.split("\n").find((line) => /Error|Cannot|not/.test(line)) ?? `the probe ended with ${exitCode}`;
}

function nativeReport(problem) {
  return new Report({
    what: `${NATIVE_PACKAGE} was installed but does not load in Node ${process.version}`,
    why: problem.trim(),
    action: "apt-get install python3 make g++, remove the folder node_modules, then run this again",
  });
}
