/** Asks the gateway for its status again and again: how long it takes to answer, and how many devices are online. */
import { pause } from "./child.js";
import type { GatewayProcess } from "./gateway-process.js";

export interface ApiWatched {
  readonly asked: number;
  /** Of the answers; asking is skipped while the gateway is down. */
  readonly p99Ms: number;
  /** Questions to a running gateway without an answer. */
  readonly unanswered: number;
  /** Fewest devices online in any answer. */
  readonly onlineMin: number;
}

const ASK_EVERY_MS = 50;

/** Watches from `begin` to `end`. */
export class ApiWatch {
  readonly #took: number[] = [];
  readonly #gateway: GatewayProcess;
  #done: Promise<void> = Promise.resolve();
  #unanswered = 0;
  #onlineMin = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(gateway: GatewayProcess) {
    this.#gateway = gateway;
  }

  begin(): void {
    this.#done = this.#watch();
  }

  async end(): Promise<ApiWatched> {
    this.#isOver = true;
    await this.#done;
    const sorted = this.#took.sort((a, b) => a - b);
    const p99Ms = Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0);
    const onlineMin = Number.isFinite(this.#onlineMin) ? this.#onlineMin : 0;
    return { asked: sorted.length, p99Ms, unanswered: this.#unanswered, onlineMin };
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      if (!this.#gateway.isReady) {
        await pause(ASK_EVERY_MS);
        continue;
      }
      const startedMs = performance.now();
      try {
        const { body } = await this.#gateway.call("GET", "/api/v1/status");
        this.#took.push(performance.now() - startedMs);
        this.#onlineMin = Math.min(this.#onlineMin, body.devices.online);
      } catch {
        if (this.#gateway.isReady) this.#unanswered += 1;
      }
      await pause(ASK_EVERY_MS);
    }
  }
}
