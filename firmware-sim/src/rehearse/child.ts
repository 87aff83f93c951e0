/**
 * A child process that cannot outlive us and whose words are kept for the one who asks why it ended.
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";

/** The last words of a process: enough for its error, bounded whatever it prints. */
const TAIL_CHARS_MAX = 16_384;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One running program. `stop` and `kill` are safe to call at any time. */
export class Child {
  readonly process: ChildProcess;
  readonly exited: Promise<Exit>;
  #tail = "";

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.process = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const keep = (chunk: Buffer): void => {
      this.#tail = (this.#tail + chunk.toString("utf8")).slice(-TAIL_CHARS_MAX);
    };
    this.process.stdout?.on("data", keep);
    this.process.stderr?.on("data", keep);
    this.exited = new Promise((resolve) => {
      this.process.once("error", (error) => {
        this.#tail += String(error);
        resolve({ code: null, signal: null });
      });
      this.process.once("exit", (code, signal) => resolve({ code, signal }));
    });
    RUNNING.add(this.process);
    void this.exited.then(() => RUNNING.delete(this.process));
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  /** The last things it printed. */
  get words(): string {
    return this.#tail;
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Ask it to stop; end it when it has not after `graceMs`. */
  async stop(graceMs = 10_000): Promise<Exit> {
    if (!this.isRunning) return this.exited;
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), graceMs);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** End it without a word, as a power cut would. */
  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.exited;
  }
}

const RUNNING = new Set<ChildProcess>();

process.once("exit", () => {
  for (const child of RUNNING) child.kill("SIGKILL");
});

/** Ask again and again until `ready` is true; rejects with `what` after `timeoutMs`. */
export async function until(what: string, ready: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (performance.now() > deadlineMs) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await pause(20);
  }
}

/** Let real time pass: rehearsals last as long as the outage they rehearse. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Start counting real time. @returns what tells how much has passed, in ms */
export function stopwatch(): () => number {
  const startedMs = performance.now();
  return () => performance.now() - startedMs;
}

/** A child's environment: ours, and what it gets beside it. */
export function childEnv(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}
