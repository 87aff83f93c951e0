// Calls npm with the Node that runs this script, so that better-sqlite3 is compiled for the Node that will load it.

import { spawn } from "node:child_process";
import { createWriteStream, existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { exitCodeOf } from "./run-step.mjs";

/** The program and first arguments that start npm: the npm that called us, the one beside this Node, or PATH's. */
export function npmCommand(env = process.env, execPath = process.execPath) {
  const prefix = dirname(dirname(execPath));
  const candidates = [env.npm_execpath, join(prefix, "lib", "node_modules", "npm", "bin", "npm-cli.js")];
  for (const candidate of candidates) {
    if (candidate?.endsWith(".js") && existsSync(candidate)) return [execPath, candidate];
  }
  return ["npm"];
}

/**
 * Where this Node's own headers lie, or null: without them node-gyp downloads headers, which fails behind a firewall.
 * The ABI number in them must be this Node's; a distribution may ship headers of another one.
 */
export function localHeadersFolder(execPath = process.execPath, modules = process.versions.modules) {
  const prefix = dirname(dirname(execPath));
  if (!existsSync(join(prefix, "include", "node", "node.h"))) return null;
  try {
    const version = readFileSync(join(prefix, "include", "node", "node_version.h"), "utf8");
    return new RegExp(`#define NODE_MODULE_VERSION ${modules}\\b`).test(version) ? prefix : null;
  } catch {
    return null;
  }
}

/** The environment for npm: this Node first on PATH, headers where they are known. */
export function npmEnv(env = process.env, headers = localHeadersFolder()) {
  const changed = { ...env, PATH: `${dirname(process.execPath)}${delimiter}${env.PATH ?? ""}` };
  if (headers !== null) changed.npm_config_nodedir = headers;
  return changed;
}

/**
 * Runs npm with its output in a log file; a signal that ends us ends npm too, so no install goes on alone.
 * @param {string[]} args
 * @param {{ cwd: string, logFile: string }} options
 * @returns {Promise<number>} npm's exit code; 127 when npm could not be started
 */
export function runNpm(args, { cwd, logFile }) {
  const [command, ...first] = npmCommand();
  return new Promise((resolve) => {
    const log = createWriteStream(logFile);
    const child = spawn(command, [...first, ...args], { cwd, env: npmEnv(), stdio: ["ignore", "pipe", "pipe"] });
    const forward = (signal) => {
      child.kill(signal);
      child.once("close", () => process.exit(exitCodeOf(null, signal)));
    };
    process.once("SIGINT", forward).once("SIGTERM", forward);
    const finish = (exitCode) => {
      process.off("SIGINT", forward).off("SIGTERM", forward);
      log.end(() => resolve(exitCode));
    };
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    child.on("error", (error) => {
      log.write(`${error.message}\n`);
      finish(127);
    });
    child.on("close", (code, signal) => finish(exitCodeOf(code, signal)));
  });
}
