// The product started the way a stranger starts it, in a folder of its own, and watched until nobody of it is left.
//
//   all ports are 0 and all data lies in that folder, so that many can run at once; every process it starts inherits a
//   mark in its environment, by which the last of them is found

import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { formatDuration, lastLines, Report } from "./report.mjs";

const POLL_MS = 200;
const OUTPUT_CHARS_MAX = 200_000;
const STOP_MS_MAX = 30_000;

const CONFIG = `version: 1
gateway: { id: smoke, dataDir: ./data }
devices: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
`;

/** One start of the product. */
export class Trial {
  #id = randomUUID();
  folder = mkdtempSync(join(tmpdir(), "tidegate-trial-"));
  configFile = join(this.folder, "tidegate.yaml");
  child = null;
  /** Everything it printed, the newest part. */
  output = "";
  /** How it ended; null while it runs. */
  ended = null;

  constructor() {
    writeFileSync(this.configFile, CONFIG);
  }

  /** The environment for its first process. */
  get env() {
    return { ...process.env, TIDEGATE_TRIAL_ID: this.#id };
  }

  /** Watch a process that was started with `env`. */
  watch(child) {
    this.child = child;
    const keep = (chunk) => {
      this.output = (this.output + chunk).slice(-OUTPUT_CHARS_MAX);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    child.once("exit", (code, signal) => {
      this.ended = { code, signal };
    });
  }

  /** Asks until the answer is neither null nor false; fails early when the product ended. */
  async until(what, waitMsMax, ask) {
    const deadlineMs = Date.now() + waitMsMax;
    while (Date.now() < deadlineMs) {
      const answer = await ask();
      if (answer !== null && answer !== false) return answer;
      if (this.ended !== null) throw this.failure(what, `it ended with ${this.ended.code ?? this.ended.signal}`);
      await sleep(POLL_MS);
    }
    throw this.failure(what, `nothing came of it in ${formatDuration(waitMsMax)}`);
  }

  /** Waits until its first process has ended and no other of it is left. */
  async leave() {
    const deadlineMs = Date.now() + STOP_MS_MAX;
    while ((this.ended === null || this.#relatives().length > 0) && Date.now() < deadlineMs) await sleep(POLL_MS);
    const left = this.#relatives();
    if (left.length > 0) throw this.failure("everybody to leave", `still running: ${left.join(", ")}`);
    if (this.ended === null) throw this.failure("it to end", "it is still there");
  }

  failure(what, why) {
    return new Report({
      what: `waited in vain for ${what}`,
      why,
      action: "read what the product said below",
      details: lastLines(this.output, 60),
    });
  }

  /** End whatever is left of it, and remove its folder. */
  remove() {
    for (const pid of this.#relatives()) process.kill(Number(pid), "SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Every process that inherited our mark, told from its environment. */
  #relatives() {
    return readdirSync("/proc").filter((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
      try {
        return readFileSync(`/proc/${name}/environ`, "utf8").includes(`TIDEGATE_TRIAL_ID=${this.#id}`);
      } catch {
        return false;
      }
    });
  }
}
