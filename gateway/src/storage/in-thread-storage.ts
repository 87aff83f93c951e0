/**
 * The store without threads: the same engine, reader, queue and messages, in the caller's thread, under the caller's
 * clock and randomness. For tests and simulations, which decide when a message arrives and when the process dies.
 *
 *   client ── defer ──▶ WriterHost, ReaderHost ── defer ──▶ client
 */
import { join } from "node:path";
import { step } from "../command/command-machine.js";
import type { Clock, Ticker } from "../core/clock.js";
import type { GatewayError } from "../core/errors.js";
import type { Random } from "../core/random.js";
import { Renderer } from "../telemetry/render.js";
import { Engine } from "./engine.js";
import { openStores, SPOOL_FILE } from "./open-stores.js";
import { Reader } from "./reader.js";
import { ReaderHost } from "./reader-host.js";
import type { DiskFree } from "./space.js";
import type { WriteFault } from "./spool-tables.js";
import { storeError } from "./sqlite-error.js";
import { connectStorage, type Storage } from "./storage-client.js";
import type { ReaderStart, StorageStart } from "./storage-start.js";
import type { WorkerChannel } from "./worker-calls.js";
import {
  plainError,
  type Question,
  type ReaderCalls,
  type WorkerMessage,
  type WriterCalls,
} from "./worker-protocol.js";
import { type Send, WriterHost } from "./writer-host.js";

export interface InThreadOptions extends StorageStart, ReaderStart {
  readonly clock: Clock;
  readonly random: Random;
  readonly onFatal: (error: GatewayError) => void;
  /** How a message gets to the other side; at the end of the current microtask unless told. */
  readonly defer?: (deliver: () => void) => void;
  /** `off` where the process is the whole world and nothing has to survive it. */
  readonly synchronous?: "full" | "off";
  /** Called before every write: throw to make it fail. */
  readonly fault?: WriteFault;
  /** How much the disk has left; asked of the file system unless given. */
  readonly diskFree?: DiskFree;
}

export interface InThreadStorage extends Storage {
  /** Dies as by SIGKILL: nothing more is written or answered. The same data folder can be opened again. */
  kill(): void;
}

/** Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO. */
export async function createInThreadStorage(options: InThreadOptions): Promise<InThreadStorage> {
  const defer = options.defer ?? queueMicrotask;
  const writer = new WriterChannel(options, { soon: defer });
  const reader = new ReaderChannel(options, { soon: defer });
  const storage = await connectStorage({ writer, reader }, options.onFatal);
  const kill = (): void => {
    reader.kill();
    writer.kill();
  };
  return { ...storage, kill };
}

/** Delivers messages until it is killed. */
abstract class InThreadChannel<C extends WriterCalls | ReaderCalls> implements WorkerChannel<C> {
  protected readonly ticker: Ticker;
  protected isDead = false;
  #onMessage: (message: WorkerMessage) => void = () => {};

  constructor(ticker: Ticker) {
    this.ticker = ticker;
  }

  post(question: Question<C>): void {
    this.ticker.soon(() => {
      if (!this.isDead) this.receive(question);
    });
  }

  listen(onMessage: (message: WorkerMessage) => void): void {
    this.#onMessage = onMessage;
    this.ticker.soon(() => this.open());
  }

  end(): Promise<void> {
    this.kill();
    return Promise.resolve();
  }

  protected readonly send: Send = (message) => {
    this.ticker.soon(() => {
      if (!this.isDead) this.#onMessage(message);
    });
  };

  protected fail(thrown: unknown): void {
    this.send({ type: "fatal", error: plainError(storeError(thrown, "the store")) }, []);
  }

  protected abstract open(): void;
  protected abstract receive(question: Question<C>): void;
  abstract kill(): void;
}

class WriterChannel extends InThreadChannel<WriterCalls> {
  readonly #options: InThreadOptions;
  #engine: Engine | undefined;
  #host: WriterHost | undefined;

  constructor(options: InThreadOptions, ticker: Ticker) {
    super(ticker);
    this.#options = options;
  }

  protected open(): void {
    const { clock, ...rest } = this.#options;
    try {
      const stores = openStores({ ...rest, clock, step });
      this.#engine = new Engine(stores, { ...rest, clock, step });
      this.#host = new WriterHost(this.#engine, clock, this.ticker, this.send);
      this.send({ type: "ready", notices: stores.notices }, []);
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  protected receive(question: Question<WriterCalls>): void {
    this.#host?.receive(question);
  }

  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#host?.halt();
    this.#engine?.abandon();
  }
}

class ReaderChannel extends InThreadChannel<ReaderCalls> {
  readonly #options: InThreadOptions;
  #host: ReaderHost | undefined;

  constructor(options: InThreadOptions, ticker: Ticker) {
    super(ticker);
    this.#options = options;
  }

  protected open(): void {
    const { dataDir, gatewayId, clock } = this.#options;
    const path = join(dataDir, SPOOL_FILE);
    this.#host = new ReaderHost(() => new Reader(path, new Renderer(gatewayId), clock), this.send);
    this.send({ type: "ready", notices: [] }, []);
  }

  protected receive(question: Question<ReaderCalls>): void {
    this.#host?.receive(question);
  }

  kill(): void {
    if (this.isDead) return;
    this.isDead = true;
    this.#host?.halt();
  }
}
