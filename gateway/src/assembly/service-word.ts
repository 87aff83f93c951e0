/**
 * Word to systemd (sd_notify): ready, reloading, stopping, one line of status, and "still alive".
 *
 *   tell ─▶ waiting (words join the last message, a second state begins a new one) ─▶ systemd-notify ─▶ $NOTIFY_SOCKET
 *
 * Node cannot open the datagram socket that systemd listens on, and a native add-on for four words would be one more
 * thing to compile. The program `systemd-notify` is wherever systemd is. It speaks as a child of ours, so the unit says
 * `NotifyAccess=all`; by its barrier it lives until systemd has read what it sent and knows whose child it was.
 */
import { spawn } from "node:child_process";
import type { Logger } from "../core/log.js";

/** What systemd shall think of us. */
export type ServiceState = "READY" | "RELOADING" | "STOPPING";

/** One message; what is left out stays as it was. */
export interface ServiceWord {
  readonly state?: ServiceState;
  /** One line for `systemctl status`. */
  readonly status?: string;
  /** The process and its storage work: do not restart them. */
  readonly alive?: boolean;
}

/** The service manager that started this process. */
export interface ServiceManager {
  /** Silence after which it restarts this process, in ms; null: it does not watch. */
  readonly watchdogMs: number | null;
  /** Pass it on, soon and in order. Never fails: a manager that does not hear is told to the log, once. */
  tell(word: ServiceWord): void;
  /** Resolves when everything told so far was passed on, or could not be. */
  settled(): Promise<void>;
}

/** Runs `systemd-notify` with these assignments; rejects when it cannot be run or fails. */
export type SendWords = (assignments: readonly string[]) => Promise<void>;

export interface ServiceSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly log: Logger;
  /** The real one unless told. */
  readonly send?: SendWords;
}

/** The service manager named by the environment; null when nobody waits for word. */
export function serviceManager({ env, pid, log, send }: ServiceSurroundings): ServiceManager | null {
  const socket = env["NOTIFY_SOCKET"] ?? "";
  if (socket === "") return null;
  return new Systemd(watchdogMsOf(env, pid), send ?? ((words) => runNotify(words, socket)), log);
}

/** A status line beyond this is cut: it is one line on a terminal. */
const STATUS_CHARS_MAX = 200;

/** A manager that has not read a word by then will not. */
const SEND_MS_MAX = 15_000;

/** Messages that wait for one on its way; with more, the newest state counts. */
const WAITING_MAX = 8;

class Systemd implements ServiceManager {
  readonly watchdogMs: number | null;
  readonly #send: SendWords;
  readonly #log: Logger;
  #waiting: ServiceWord[] = [];
  #sending: Promise<void> | null = null;
  #hasWarned = false;

  constructor(watchdogMs: number | null, send: SendWords, log: Logger) {
    this.watchdogMs = watchdogMs;
    this.#send = send;
    this.#log = log;
  }

  tell(word: ServiceWord): void {
    const last = this.#waiting.at(-1) ?? {};
    const joins = word.state === undefined || last.state === undefined || this.#waiting.length >= WAITING_MAX;
    if (joins) this.#waiting.splice(-1, 1, { ...last, ...word });
    else this.#waiting.push(word);
    this.#sending ??= this.#drain();
  }

  async settled(): Promise<void> {
    await this.#sending;
  }

  async #drain(): Promise<void> {
    // Words of one turn go together.
    await Promise.resolve();
    for (let word = this.#waiting.shift(); word !== undefined; word = this.#waiting.shift()) {
      try {
        await this.#send(assignmentsOf(word));
      } catch (thrown) {
        this.#warn(thrown instanceof Error ? thrown.message : String(thrown));
      }
    }
    this.#sending = null;
  }

  #warn(why: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const fix = "install systemd-notify (package systemd), or set Type=exec and no WatchdogSec in the unit";
    this.#log.error({ why, fix }, "systemd cannot be told that the gateway runs, and may end it for that");
  }
}

function assignmentsOf({ state, status, alive }: ServiceWord): string[] {
  return [
    ...(state === undefined ? [] : [`${state}=1`]),
    ...(status === undefined ? [] : [`STATUS=${oneLine(status)}`]),
    ...(alive === true ? ["WATCHDOG=1"] : []),
  ];
}

/** A line break in a message would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, STATUS_CHARS_MAX);
}

/** WATCHDOG_USEC counts when it is meant for this process and not for one above it (sd_watchdog_enabled(3)). */
function watchdogMsOf(env: ServiceSurroundings["env"], pid: number): number | null {
  const limitUs = Number(env["WATCHDOG_USEC"] ?? Number.NaN);
  const wanted = env["WATCHDOG_PID"] ?? "";
  if (!Number.isSafeInteger(limitUs) || limitUs <= 0) return null;
  return wanted === "" || wanted === String(pid) ? limitUs / 1000 : null;
}

function runNotify(assignments: readonly string[], socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Nothing else of our surroundings is of its business.
    const env = { NOTIFY_SOCKET: socket, PATH: "/usr/local/bin:/usr/bin:/bin" };
    const options = { env, stdio: ["ignore", "ignore", "pipe"] as const, timeout: SEND_MS_MAX };
    const child = spawn("systemd-notify", [...assignments], { ...options, stdio: [...options.stdio] });
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => {
      words = (words + chunk.toString("utf8")).slice(0, STATUS_CHARS_MAX);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`systemd-notify ended with ${signal ?? code}: ${words.trim()}`));
    });
  });
}
