// Runs one program to its end with its output kept, so that success is one line and a failure shows everything.

import { spawn } from "node:child_process";
import { ROOT } from "./report.mjs";

/** A step may print megabytes (a compiler, a fuzzer); only the end of it is ever read. */
const OUTPUT_CHARS_MAX = 400_000;

/**
 * Runs a program with its output captured.
 * @param {string} command program; use `process.execPath` for Node scripts
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ exitCode: number, output: string, durationMs: number }>} exitCode 127 when it could not start,
 *   128 + n when signal n ended it
 */
export function runStep(command, args, { cwd = ROOT, env = process.env } = {}) {
  const startedAtMs = Date.now();
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk) => {
      output = (output + chunk).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const finish = (exitCode) => resolve({ exitCode, output, durationMs: Date.now() - startedAtMs });
    child.on("error", (error) => {
      keep(`${error.message}\n`);
      finish(127);
    });
    child.on("close", (code, signal) => finish(exitCodeOf(code, signal)));
  });
}

/** Runs a program on our own terminal; resolves with its exit code. */
export function runInherited(command, args, { cwd = ROOT, env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: "inherit" });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

/** The exit code a shell would report. */
export function exitCodeOf(code, signal) {
  if (code !== null) return code;
  return 128 + (SIGNAL_NUMBERS[signal] ?? 0);
}
