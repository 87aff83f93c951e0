/** A real Mosquitto on a free loopback port with a configuration of its own, for tests; it can be killed and restarted. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY_MS_MAX = 10_000;
const POLL_MS = 20;

export class Mosquitto {
  readonly port: number;
  readonly folder: string;
  #process: ChildProcess | null = null;
  #lines: string[] = [];
  readonly #program: string;

  /** @param program path of mosquitto. @param lines of mosquitto.conf beside the listener, `{folder}` replaced. */
  static async start(
    program: string,
    lines: readonly string[] = ["allow_anonymous true"],
    files: Record<string, string> = {},
  ): Promise<Mosquitto> {
    const broker = new Mosquitto(program, await freePort());
    for (const [name, text] of Object.entries(files)) writeFileSync(join(broker.folder, name), text);
    // Above 1,000 waiting for one subscriber Mosquitto drops what it has acked: a slow witness must miss nothing. Not 0,
    // without bound: version 2.0.11 then hangs up on whoever its access list refuses one message.
    const patient = "max_queued_messages 1000000";
    broker.#lines = [`listener ${broker.port} 127.0.0.1`, "user root", patient, ...lines];
    broker.configure([]);
    await broker.launch();
    return broker;
  }

  /** Add lines to the configuration; they count from the next launch. */
  configure(lines: readonly string[]): void {
    this.#lines.push(...lines);
    const text = this.#lines.join("\n").replaceAll("{folder}", this.folder);
    writeFileSync(join(this.folder, "mosquitto.conf"), `${text}\n`);
  }

  private constructor(program: string, port: number) {
    this.#program = program;
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), "tidegate-mosquitto-"));
  }

  /** Start the process and wait until it takes connections. */
  async launch(): Promise<void> {
    this.#process = spawn(this.#program, ["-c", join(this.folder, "mosquitto.conf")], { stdio: "ignore" });
    const endsAt = Date.now() + READY_MS_MAX;
    while (!(await answers(this.port))) {
      if (Date.now() > endsAt) throw new Error("mosquitto did not start");
      await delay(POLL_MS);
    }
  }

  /** SIGKILL, as a crash. */
  kill(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process === null || process.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      process.once("exit", () => resolve());
      process.kill("SIGKILL");
    });
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Lines that mosquitto_sub prints: an independent witness of what the broker delivers. */
export class MosquittoSub {
  readonly lines: string[] = [];
  readonly #process: ChildProcess;
  #rest = "";

  /** @param args beside host and port, e.g. `-t`, `tidegate/#`, `-F`, `%r %t %p`. */
  constructor(program: string, port: number, args: readonly string[]) {
    this.#process = spawn(program, ["-h", "127.0.0.1", "-p", String(port), ...args], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#process.stdout?.setEncoding("utf8").on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      this.lines.push(...lines);
    });
  }

  stop(): Promise<void> {
    if (this.#process.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#process.once("exit", () => resolve());
      this.#process.kill("SIGKILL");
    });
  }
}

/** Wait for real things; every wait has an end. */
export async function until(what: string, isTrue: () => boolean, withinMs = 15_000): Promise<void> {
  const endsAt = Date.now() + withinMs;
  while (!isTrue()) {
    if (Date.now() > endsAt) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(POLL_MS);
  }
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
