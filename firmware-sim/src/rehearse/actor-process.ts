/**
 * A device that obeys, as a process that can be killed and started again on what it kept: the TypeScript edition
 * (`actor-main.ts`) or the C edition (`shim/actor.c`).
 *
 *   <dir>/keeps/     its outbox or its flash: what survives it; fsyncs and writes are counted here
 *   <dir>/effects    one line for each time that it did what it was asked for
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ActorOrder } from "./actor-main.js";
import { Child, childEnv } from "./child.js";
import type { Credential } from "./gateway-process.js";

/** Which SDK the device is made with. */
export const EDITIONS = ["ts", "c"] as const;
export type Edition = (typeof EDITIONS)[number];

export interface ActorOptions {
  readonly edition: Edition;
  /** An empty folder of its own. */
  readonly dir: string;
  readonly credential: Credential;
  /** Its memory survives it. */
  readonly isPersistent: boolean;
  readonly env: Readonly<Record<string, string>>;
}

/** The part of a path that all files have which survive the device. */
export const KEEPS = "/keeps/";

const ENTRY = fileURLToPath(new URL("../../dist/rehearse/actor-main.js", import.meta.url));
const SOURCE = fileURLToPath(new URL("../../shim/actor.c", import.meta.url));
const SDK = fileURLToPath(new URL("../../../device-sdk/c", import.meta.url));

/** One device with its memory; any number of lives. */
export class ActorProcess {
  readonly #options: ActorOptions;
  readonly #effectsFile: string;
  readonly #keptFile: string;
  #child: Child | null = null;

  /** Makes its folder, and compiles it when it is in C: throws what the compiler says. */
  constructor(options: ActorOptions) {
    this.#options = options;
    this.#effectsFile = join(options.dir, "effects");
    mkdirSync(join(options.dir, KEEPS), { recursive: true });
    this.#keptFile = join(options.dir, KEEPS, options.edition === "ts" ? "outbox.db" : "flash.bin");
    if (options.edition === "c") compile(this.#program);
  }

  start(): void {
    this.#child = this.#options.edition === "ts" ? this.#startTs() : this.#startC();
  }

  get isRunning(): boolean {
    return this.#child?.isRunning === true;
  }

  /** The last things it printed. */
  get words(): string {
    return this.#child?.words ?? "";
  }

  async kill(): Promise<void> {
    await this.#child?.kill();
  }

  /** How often it did number `n`, in all its lives. */
  ran(n: number): number {
    return this.#lines().filter((line) => line === String(n)).length;
  }

  /** How often it did anything. */
  get ranCount(): number {
    return this.#lines().length;
  }

  #lines(): string[] {
    if (!existsSync(this.#effectsFile)) return [];
    return readFileSync(this.#effectsFile, "utf8").split("\n").filter(Boolean);
  }

  get #program(): string {
    return join(this.#options.dir, "actor");
  }

  #startTs(): Child {
    const { credential, isPersistent, env } = this.#options;
    const child = new Child(process.execPath, [ENTRY], {
      stdio: ["pipe", "pipe", "pipe"],
      env: childEnv(env),
    });
    const outboxFile = isPersistent ? this.#keptFile : null;
    const order: ActorOrder = { credential, effectsFile: this.#effectsFile, outboxFile };
    child.process.stdin?.on("error", () => {}); // killed before it has read: its exit says so
    child.process.stdin?.write(`${JSON.stringify(order)}\n`);
    return child;
  }

  #startC(): Child {
    const { credential, isPersistent, env } = this.#options;
    const { hostname, port } = new URL(credential.url);
    const args = [credential.deviceId, hostname, port, this.#effectsFile, ...(isPersistent ? [this.#keptFile] : [])];
    return new Child(this.#program, args, { env: childEnv({ ...env, TIDEGATE_TOKEN: credential.token }) });
  }
}

function compile(program: string): void {
  const sources = readdirSync(join(SDK, "src")).filter((name) => name.endsWith(".c"));
  const files = [SOURCE, join(SDK, "port/posix/tg_posix.c"), ...sources.map((name) => join(SDK, "src", name))];
  execFileSync("cc", ["-std=c99", "-O1", "-DTG_WITH_STORE=1", "-o", program, ...files], { stdio: "pipe" });
}
