// The programs in C that load the measured ones: compiled once per source, run once per round, their answers turned
// into measures.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../testing/requires.mjs";
import { inRoot, Report } from "../../workspace/report.mjs";
import { Program } from "./processes.mjs";

const sourceOf = (name) => inRoot(`scripts/bench/load/${name}.c`);
const HEADER = inRoot("scripts/bench/load/cost.h");
const CACHE = inRoot("node_modules/.cache/tidegate-bench");

/**
 * Full path of a compiled program.
 * @param {"load" | "view"} [name] devices that send, or viewers that read
 * @throws Report when there is no C compiler, or it fails
 */
export function buildLoad(name = "load") {
  const source = sourceOf(name);
  const hash = createHash("sha256")
    .update(readFileSync(source))
    .update(readFileSync(HEADER))
    .digest("hex")
    .slice(0, 16);
  const program = join(CACHE, `${name}-${hash}`);
  if (existsSync(program)) return program;
  const compiler = findCommand("gcc") ?? findCommand("cc");
  if (compiler === null) {
    const why = "there is no C compiler";
    throw new Report({ what: "the load generator cannot be built", why, action: "apt-get install g++" });
  }
  mkdirSync(CACHE, { recursive: true });
  // Under another name first: a build that was interrupted leaves nothing that looks finished.
  const unfinished = `${program}.${process.pid}`;
  execFileSync(compiler, ["-O2", "-Wall", "-Wextra", "-o", unfinished, source], { stdio: "inherit" });
  renameSync(unfinished, program);
  return program;
}

/**
 * Runs it once.
 * @param {string} program from `buildLoad`
 * @param {{ mode: "ws" | "mqtt", port: number, conns: number, inflight: number, seconds: number, payload: number,
 *   pid: number, tokens?: string, messages?: number, rate?: number, shape?: "signals" | "column" }} options as load.c
 *   names them
 * @returns {Promise<{ acked: number, seconds: number, perSecond: number, generatorCpuShare: number,
 *   peerCpuSeconds: number, peerWrittenBytes: number, peerRssBytes: number }>}
 */
export function runLoad(program, options) {
  return startLoad(program, options).answer;
}

/**
 * Starts it, for rows that watch something else meanwhile.
 * @returns {{ program: Program, answer: Promise<object> }} the answer rejects when it fails
 */
export function startLoad(program, options) {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const load = new Program(program, args);
  const answered = async () => {
    const exitCode = await load.ended;
    if (exitCode !== 0) throw load.failure(`it ended with ${exitCode}`);
    return JSON.parse(load.stdout.trim().split("\n").at(-1));
  };
  return { program: load, answer: answered() };
}

/** What a round of load is worth in the table: acknowledged messages a second, and what they cost the peer. */
export function measureOf(answer) {
  const { acked, perSecond, peerCpuSeconds, peerWrittenBytes, peerRssBytes, generatorCpuShare } = answer;
  const per = (total, count) => (total < 0 || count === 0 ? null : total / count);
  return {
    value: perSecond,
    columns: {
      "CPU s/million": per(peerCpuSeconds, acked / 1e6),
      "disk B/record": per(peerWrittenBytes, acked),
      "RSS MB": per(peerRssBytes, 1e6),
      "generator CPU share": generatorCpuShare,
    },
  };
}
