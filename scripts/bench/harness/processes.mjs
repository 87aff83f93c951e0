// Every process that a run starts, in one place, so that none outlives it: not after a failure, not after Ctrl-C.

import { spawn } from "node:child_process";
import { Report } from "../../workspace/report.mjs";

/** The last words of a process: enough for its error. */
const WORDS_CHARS_MAX = 8_192;
const STOP_GRACE_MS = 15_000;

const running = new Set();

/** A program that was started. Its output is kept for whoever asks why it ended. */
export class Program {
  #words = "";
  #messages = [];
  #readers = [];

  /**
   * @param {string} command full path of the program
   * @param {string[]} args
   * @param {{ cwd?: string, hasChannel?: boolean }} [options] `hasChannel`: a Node program that speaks over IPC
   */
  constructor(command, args, { cwd = process.cwd(), hasChannel = false } = {}) {
    const stdio = ["ignore", "pipe", "pipe", ...(hasChannel ? ["ipc"] : [])];
    this.process = spawn(command, args, { cwd, stdio });
    this.stdout = "";
    this.process.stdout.on("data", (chunk) => {
      this.stdout = (this.stdout + chunk).slice(-WORDS_CHARS_MAX);
    });
    this.process.stderr.on("data", (chunk) => {
      this.#words = (this.#words + chunk).slice(-WORDS_CHARS_MAX);
    });
    this.process.on("message", (message) => this.#receive(message));
    this.ended = new Promise((resolve) => {
      this.process.once("error", (error) => {
        this.#words += error.message;
        resolve(127);
      });
      this.process.once("close", (code) => resolve(code ?? 1));
    });
    running.add(this);
    this.ended.then(() => {
      running.delete(this);
      for (const { reject } of this.#readers.splice(0)) reject(this.failure("it ended before it answered"));
    });
  }

  get pid() {
    return this.process.pid ?? 0;
  }

  get isRunning() {
    return running.has(this);
  }

  /** What it said last. */
  get words() {
    return `${this.#words}\n${this.stdout}`.trim();
  }

  /** A failure of this program as a report. */
  failure(why) {
    const name = this.process.spawnargs.slice(0, 3).join(" ");
    return new Report({ what: `${name} failed`, why, action: "see what it said, below", details: this.words });
  }

  send(message) {
    if (this.process.connected) this.process.send(message);
  }

  /** Drop what it has told so far. */
  forget() {
    this.#messages = [];
  }

  /** Its next message; rejects when it ends first. */
  message() {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift());
    if (!this.isRunning) return Promise.reject(this.failure("it has ended"));
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  #receive(message) {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#messages.push(message);
    else reader.resolve(message);
  }

  /** Ask it to end; it is killed when it takes too long. */
  async stop() {
    if (!this.isRunning) return;
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_GRACE_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** End it at once: nothing of it is needed any more. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }
}

/** Ends whatever still runs. */
export async function endAll() {
  await Promise.all([...running].map((program) => program.kill()));
}

process.once("exit", () => {
  for (const program of running) program.process.kill("SIGKILL");
});

/** Makes SIGINT and SIGTERM end every program, then run `cleanUp`, then this process. */
export function endOnSignals(cleanUp) {
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ]) {
    process.once(signal, async () => {
      await endAll();
      cleanUp();
      process.exit(exitCode);
    });
  }
}

/** Wait real time. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ask again every 10 ms until `ready` holds.
 * @throws Report naming `what` after `timeoutMs`, or when `program` ends first
 */
export async function until(what, ready, { timeoutMs = 30_000, program = null } = {}) {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (program !== null && !program.isRunning) throw program.failure(`it ended before ${what}`);
    if (performance.now() > deadlineMs) {
      const details = program?.words ?? "";
      throw new Report({ what, why: `it did not happen within ${timeoutMs} ms`, action: "see below", details });
    }
    await pause(10);
  }
}
