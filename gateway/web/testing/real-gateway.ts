/**
 * The real gateway as a process in a folder of its own, under ports that stay the same when it comes back; and the real
 * simulator beside it. Both are the built programs.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin/tidegate.js", import.meta.url));
const SIM = fileURLToPath(new URL("../../../firmware-sim/bin/tidegate-sim.js", import.meta.url));
const NODE_FLAGS = ["--disallow-code-generation-from-strings"];

/** One gateway that can be killed and started again on its data. */
export class RealGateway {
  readonly dir = mkdtempSync(join(tmpdir(), "tidegate-real-"));
  readonly configFile = join(this.dir, "tidegate.yaml");
  readonly url: string;
  readonly #devicesPort: number;
  #gateway: ChildProcess | null = null;
  #sim: ChildProcess | null = null;
  /** What it has printed. */
  words = "";

  private constructor(devicesPort: number, adminPort: number) {
    this.#devicesPort = devicesPort;
    this.url = `http://127.0.0.1:${adminPort}`;
  }

  /** With a configuration, not started. */
  static async create(): Promise<RealGateway> {
    const gateway = new RealGateway(await freePort(), await freePort());
    gateway.configure();
    return gateway;
  }

  /** Write the configuration; `more` are further lines. */
  configure(more = ""): void {
    const { host } = new URL(this.url);
    const lines = ["version: 1", "gateway: { id: attic-pi, dataDir: ./data }", `admin: { listen: "${host}" }`];
    const text = [...lines, `devices: { listen: "127.0.0.1:${this.#devicesPort}" }`, more].join("\n");
    writeFileSync(this.configFile, `${text}\n`);
  }

  /** Start it; resolves when it is listening or has ended. */
  start(...args: string[]): void {
    const command = [...NODE_FLAGS, BIN, "run", "--config", this.configFile, ...args];
    const child = spawn(process.execPath, command, { cwd: this.dir, stdio: ["ignore", "pipe", "pipe"] });
    const keep = (chunk: Buffer): void => {
      this.words += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    this.#gateway = child;
  }

  /** The three devices of the demo. */
  startDevices(): void {
    const args = [SIM, "demo", "--data-dir", join(this.dir, "data")];
    this.#sim = spawn(process.execPath, args, { cwd: this.dir, stdio: "ignore" });
  }

  /** 200: it runs. 503: it does not, and says why. 0: nobody listens. */
  async health(): Promise<number> {
    return await fetch(`${this.url}/healthz`).then(
      ({ status }) => status,
      () => 0,
    );
  }

  /** SIGKILL, as a power cut would end it. */
  async kill(): Promise<void> {
    await ended(this.#gateway, "SIGKILL");
  }

  /** SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    return await ended(this.#gateway, "SIGTERM");
  }

  /** Wait until it ends by itself. @returns the exit code */
  async ends(): Promise<number | null> {
    return await ended(this.#gateway);
  }

  /** A link that logs a browser in. */
  async loginLink(): Promise<string> {
    const { path } = (await this.ask("POST", "/api/v1/login-codes")) as { path: string }; // our own API
    return `${this.url}${path}`;
  }

  async ask(method: string, path: string): Promise<unknown> {
    const token = readFileSync(join(this.dir, "data", "admin.token"), "utf8").trim();
    const answer = await fetch(this.url + path, { method, headers: { authorization: `Bearer ${token}` } });
    return answer.json();
  }

  async remove(): Promise<void> {
    await ended(this.#sim, "SIGTERM");
    await ended(this.#gateway, "SIGTERM");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function ended(child: ChildProcess | null, signal?: NodeJS.Signals): Promise<number | null> {
  if (child === null) return Promise.resolve(null);
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once("exit", (code) => resolve(code));
    if (signal !== undefined) child.kill(signal);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
