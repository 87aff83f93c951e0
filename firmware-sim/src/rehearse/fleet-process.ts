/** The parent's side of `fleet-main.ts`. */
import { fileURLToPath } from "node:url";
import { Child } from "./child.js";
import type { Credential } from "./gateway-process.js";
import type { SenderTotals } from "./verdict.js";

/** What the fleet is told. */
export interface FleetOptions {
  readonly devices: readonly Credential[];
  /** Between two readings of each device, in ms. */
  readonly intervalMs: number;
  /** How long the devices wait for their last acks at the end, in ms. */
  readonly drainMs: number;
}

/** The built entry; also when this file is run from its source by a test. */
const ENTRY = fileURLToPath(new URL("../../dist/rehearse/fleet-main.js", import.meta.url));

/** Counting devices in a process of their own. */
export class FleetProcess {
  readonly #child: Child;
  #output = "";

  constructor(options: FleetOptions) {
    this.#child = new Child(process.execPath, [ENTRY], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child.process.stdout?.on("data", (chunk: Buffer) => {
      this.#output += chunk.toString("utf8");
    });
    this.#child.process.stdin?.write(`${JSON.stringify(options)}\n`);
  }

  /** Without a word. */
  end(): Promise<void> {
    return this.#child.kill();
  }

  /** Stop reporting, wait for the last acks, and say what was attempted and acked. */
  async finish(graceMs: number): Promise<readonly SenderTotals[]> {
    await this.#child.stop(graceMs);
    const line = this.#output.trim().split("\n").at(-1) ?? "";
    try {
      return JSON.parse(line) as SenderTotals[]; // our own child's format
    } catch {
      throw new Error(`the fleet ended without its totals: ${this.#child.words}`);
    }
  }
}
