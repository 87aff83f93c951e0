/**
 * The history as the main thread holds it. Its worker may die: the gateway goes on without it, and starts it again.
 *
 *   starting ──ready──▶ up ──fatal, death, no answer for a minute──▶ waiting ──backoff──▶ starting
 *      └─ history.db is of a newer version ─▶ off: only a restart of the gateway tries again
 *
 * While it is not up, questions are refused with E_STORE_BUSY, and the spool keeps what the history has not taken, as
 * long as it has room.
 */
import { fullJitterMs } from "../core/backoff.js";
import { type Clock, repeat } from "../core/clock.js";
import { asGatewayError, GatewayError } from "../core/errors.js";
import type { HeapFigures } from "../core/heap.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { historyMetrics } from "./history-metrics.js";
import type {
  HistoryCalls,
  HistoryColumns,
  HistoryProgress,
  HistoryQuery,
  HistoryStart,
  LatestOfDevice,
} from "./history-protocol.js";
import { ThreadChannel } from "./thread-channel.js";
import { WorkerCalls, type WorkerChannel } from "./worker-calls.js";

export interface HistoryClientOptions {
  /** A new worker, each time one is needed. */
  readonly channel: () => WorkerChannel<HistoryCalls>;
  /** Records up to `recordId` are in the history: the spool need not keep them for it. */
  readonly saveCursor: (recordId: number) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Between two questions how far it is, in ms. */
const PROGRESS_MS = 5_000;

/** Progress questions without an answer that count as dead. */
const UNANSWERED_MAX = 12;

/** Up for so long, it counts as healthy: the next death waits the shortest time again. */
const HEALTHY_MS = 60_000;

const BACKOFF = { baseMs: 1_000, capMs: 300_000 };

/** Questions at the start of the gateway wait for the history no longer than this. */
const OPEN_MS_MAX = 2_000;

/** The end of the gateway waits for its last flush no longer than this. */
const CLOSE_MS_MAX = 5_000;

type State = "starting" | "up" | "waiting" | "off" | "closed";

/** Start the history on a thread of its own, and go on meanwhile. */
export function openHistoryClient(start: HistoryStart, options: Omit<HistoryClientOptions, "channel">): HistoryClient {
  const entry = new URL("./history-worker.js", import.meta.url);
  const channel = (): WorkerChannel<HistoryCalls> => new ThreadChannel<HistoryCalls>(entry, "history", start);
  return HistoryClient.open({ ...options, channel });
}

/** One worker at a time behind one door. */
export class HistoryClient {
  readonly #options: HistoryClientOptions;
  readonly #restarts: { add(count?: number): void };
  #state: State = "waiting";
  #calls: WorkerCalls<HistoryCalls> | null = null;
  #progress: HistoryProgress | null = null;
  #isAsking = false;
  #unanswered = 0;
  #failures = 0;
  #upSinceMs = 0;
  #cancelRestart: () => void = () => {};
  /** Settles when the first start is over, one way or the other, or has taken too long. */
  #opened: Promise<void> = Promise.resolve();
  #stopWaiting: () => void = () => {};
  readonly #stopAsking: () => void;

  private constructor(options: HistoryClientOptions) {
    this.#options = options;
    this.#restarts = historyMetrics(options.metrics, () => (this.#state === "up" ? this.#progress : null));
    this.#stopAsking = repeat(options.clock, PROGRESS_MS, () => this.#askProgress());
  }

  /** Starts the first worker; what is asked while it starts waits a little. */
  static open(options: HistoryClientOptions): HistoryClient {
    const client = new HistoryClient(options);
    client.#opened = client.#within(client.#start(), OPEN_MS_MAX);
    return client;
  }

  /** Errors: E_STORE_BUSY while it is not up. */
  async read(query: HistoryQuery): Promise<HistoryColumns> {
    await this.#opened;
    return this.#up().ask("read", query);
  }

  /** The newest reading of every signal; nothing while it is not up, because it is only a head start. */
  async latest(): Promise<readonly LatestOfDevice[]> {
    await this.#opened;
    return this.#state === "up" ? this.#up().ask("latest", null) : [];
  }

  /** How large its heap was a few seconds ago; null while it is not up. */
  get heap(): HeapFigures | null {
    return this.#state === "up" ? (this.#calls?.heap ?? null) : null;
  }

  /** Write what is in memory and end the worker. Never rejects. */
  async close(): Promise<void> {
    const wasUp = this.#state === "up";
    const calls = this.#calls;
    this.#state = "closed";
    this.#stopAsking();
    this.#cancelRestart();
    this.#stopWaiting();
    if (calls === null) return;
    if (wasUp) await this.#within(this.#lastFlush(calls), CLOSE_MS_MAX);
    await calls.end();
  }

  async #lastFlush(calls: WorkerCalls<HistoryCalls>): Promise<void> {
    try {
      this.#options.saveCursor((await calls.ask("close", null)).cursor);
    } catch (thrown) {
      this.#options.log.warn({ why: asGatewayError(thrown).why }, "The history could not be written at the end");
    }
  }

  async #start(): Promise<void> {
    this.#state = "starting";
    this.#isAsking = false;
    this.#unanswered = 0;
    const calls: WorkerCalls<HistoryCalls> = new WorkerCalls(this.#options.channel(), (error) => {
      this.#died(calls, error);
    });
    this.#calls = calls;
    try {
      const notices = await calls.ready();
      if (this.#calls !== calls || this.#state !== "starting") return;
      for (const { level, sentence, facts } of notices) this.#options.log[level](facts, sentence);
      this.#state = "up";
      this.#upSinceMs = this.#options.clock.monoMs();
      this.#askProgress();
    } catch {
      // `died` has heard of it.
    }
  }

  #died(calls: WorkerCalls<HistoryCalls>, error: GatewayError): void {
    if (this.#calls !== calls || this.#state === "closed" || this.#state === "off") return;
    const { clock, random, log } = this.#options;
    void calls.end();
    this.#calls = null;
    const facts = { code: error.code, why: error.why };
    if (error.code === "E_STORE_NEWER") {
      this.#state = "off";
      log.error({ ...facts, fix: error.fix }, "There is no history until this is put right");
      return;
    }
    const wasHealthy = this.#state === "up" && clock.monoMs() - this.#upSinceMs >= HEALTHY_MS;
    this.#failures = wasHealthy ? 0 : this.#failures;
    const delayMs = fullJitterMs(this.#failures, random.unit(), BACKOFF);
    this.#failures += 1;
    this.#state = "waiting";
    this.#restarts.add();
    log.error({ ...facts, delayMs }, "The history ended and is started again; nothing else is affected");
    this.#cancelRestart = clock.after(delayMs, () => void this.#start());
  }

  /** Tell the spool how far the history is; a worker that never answers is given up. */
  #askProgress(): void {
    const calls = this.#calls;
    if (this.#state !== "up" || calls === null) return;
    if (this.#isAsking) {
      this.#unanswered += 1;
      const why = `the history has not answered for ${UNANSWERED_MAX * PROGRESS_MS} ms`;
      if (this.#unanswered >= UNANSWERED_MAX) this.#died(calls, new GatewayError("E_STORE_BUSY", why));
      return;
    }
    this.#isAsking = true;
    const answered = (progress: HistoryProgress | null): void => {
      if (this.#calls !== calls) return;
      this.#isAsking = false;
      this.#unanswered = 0;
      if (progress === null) return;
      this.#progress = progress;
      this.#options.saveCursor(progress.cursor);
    };
    calls.ask("progress", null).then(answered, () => answered(null));
  }

  #up(): WorkerCalls<HistoryCalls> {
    if (this.#state === "up" && this.#calls !== null) return this.#calls;
    const why = this.#state === "off" ? "the history is off; the log says why" : "the history is starting";
    throw new GatewayError("E_STORE_BUSY", why);
  }

  /** Wait for the work, but not for ever. */
  #within(work: Promise<void>, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(limitMs, resolve);
      this.#stopWaiting = () => {
        cancel();
        resolve();
      };
      void work.finally(this.#stopWaiting);
    });
  }
}
