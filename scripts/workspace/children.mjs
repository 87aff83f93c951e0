// Child processes that cannot outlive us, and that end in good order.
//
//   us ══IPC channel══► gateway        the channel closes when we die, by whatever means; the children watch it
//      ══IPC channel══► simulator      and leave by themselves (TIDEGATE_PARENT_IPC=1 tells them to)
//
//   stop():  SIGTERM to the simulator, wait, SIGTERM to the gateway, wait; whoever stays too long gets SIGKILL.
//            The simulator goes first, so that its last readings are still acknowledged.

import { spawn } from "node:child_process";
import { ROOT } from "./report.mjs";
import { exitCodeOf } from "./run-step.mjs";

/** A child under our care. */
export class Child {
  #process;
  #ended;
  #exitCode = null;

  /**
   * Starts a Node program on our terminal with an IPC channel.
   * @param {{ script: string, args: string[], execArgv?: string[], env?: NodeJS.ProcessEnv, cwd?: string }} options
   * @param {(message: unknown) => void} [onMessage] what the child sends over the channel
   */
  constructor({ script, args, execArgv = [], env = process.env, cwd = ROOT }, onMessage = () => {}) {
    this.#process = spawn(process.execPath, [...execArgv, script, ...args], {
      cwd,
      env: { ...env, TIDEGATE_PARENT_IPC: "1" },
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      // Its own process group: Ctrl-C reaches us alone, and we end the children in our order.
      detached: true,
    });
    this.#process.on("message", onMessage);
    this.#ended = new Promise((resolve) => {
      const finish = (exitCode) => {
        this.#exitCode ??= exitCode;
        resolve(this.#exitCode);
      };
      this.#process.once("error", () => finish(127));
      this.#process.once("exit", (code, signal) => finish(exitCodeOf(code, signal)));
    });
  }

  /** Its exit code, as a shell would report it, once it has ended. */
  get ended() {
    return this.#ended;
  }

  get hasEnded() {
    return this.#exitCode !== null;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Asks it to stop; after `waitMsMax` it is killed. Resolves when it is gone. */
  async stop(waitMsMax) {
    if (this.hasEnded) return;
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.kill(), waitMsMax);
    await this.#ended;
    clearTimeout(timer);
  }

  /** Ends it at once. */
  kill() {
    if (!this.hasEnded) this.#process.kill("SIGKILL");
  }
}
