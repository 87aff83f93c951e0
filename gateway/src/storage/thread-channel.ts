/**
 * A channel to a real worker thread.
 */
import { Worker } from "node:worker_threads";
import { GatewayError } from "../core/errors.js";
import type { WorkerChannel } from "./worker-calls.js";
import type { Calls, Question, WorkerMessage } from "./worker-protocol.js";

/**
 * What is allocated and forgotten at once lives here. V8 would take 48 MB of each thread that is busy and never give
 * them back; with half of it a thread collects twice as often, which costs next to nothing because little of it lives.
 */
const YOUNG_MB_MAX = 24;

/** Starts a worker thread at once and carries messages to and from it until `end`. */
export class ThreadChannel<C extends Calls> implements WorkerChannel<C> {
  readonly #worker: Worker;
  #isEnding = false;

  /**
   * @param entry the compiled worker file: TypeScript sources cannot be one.
   * @param start plain values the worker begins with.
   */
  constructor(entry: URL, name: string, start: object) {
    this.#worker = new Worker(entry, {
      workerData: start,
      name,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
    });
  }

  post(question: Question<C>, transfer: readonly ArrayBuffer[]): void {
    this.#worker.postMessage(question, transfer);
  }

  listen(onMessage: (message: WorkerMessage) => void, onDeath: (error: GatewayError) => void): void {
    this.#worker.on("message", onMessage);
    this.#worker.on("error", (cause) => onDeath(new GatewayError("E_STORE_IO", cause.message, { cause })));
    this.#worker.on("exit", (code) => {
      if (!this.#isEnding) onDeath(new GatewayError("E_STORE_IO", `the storage thread ended with code ${code}`));
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#worker.terminate();
  }
}
