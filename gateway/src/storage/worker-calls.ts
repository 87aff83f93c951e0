/**
 * The main thread's end of one worker: numbered calls, answers by number, one fatal failure for all.
 *
 *   ask ─▶ pending (bounded) ─▶ channel ══▶ worker ══▶ answer ─▶ promise
 *                                              ║
 *                                              ╚═ fatal, or it died ─▶ every pending promise rejects, onFatal once
 */
import { GatewayError } from "../core/errors.js";
import type { HeapFigures } from "../core/heap.js";
import type { StoreNotice } from "./open-stores.js";
import { type Answer, type CallOf, type Calls, errorOf, type Question, type WorkerMessage } from "./worker-protocol.js";

/** A way to a worker, or to its inside in the same thread. */
export interface WorkerChannel<C extends Calls> {
  post(question: Question<C>, transfer: readonly ArrayBuffer[]): void;
  /** Called once, before the first `post`. */
  listen(onMessage: (message: WorkerMessage) => void, onDeath: (error: GatewayError) => void): void;
  /** End the worker, whatever it does. */
  end(): Promise<void>;
}

/** Calls under way at once. Sessions wait for their own Hello, so this is far above what a healthy gateway has. */
const PENDING_MAX = 20_000;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: GatewayError) => void;
}

/** Numbered calls over one channel; after a fatal failure every call rejects with it. */
export class WorkerCalls<C extends Calls> {
  readonly #channel: WorkerChannel<C>;
  readonly #pending = new Map<number, Pending>();
  readonly #onFatal: (error: GatewayError) => void;
  readonly #onSpace: () => void;
  #nextId = 1;
  #answeredCount = 0;
  #heap: HeapFigures | null = null;
  #dead: GatewayError | null = null;
  readonly #ready: Promise<readonly StoreNotice[]>;
  #settleReady: { resolve: (notices: readonly StoreNotice[]) => void; reject: (error: GatewayError) => void };

  constructor(channel: WorkerChannel<C>, onFatal: (error: GatewayError) => void, onSpace: () => void = () => {}) {
    this.#channel = channel;
    this.#onFatal = onFatal;
    this.#onSpace = onSpace;
    const { promise, resolve, reject } = deferred<readonly StoreNotice[]>();
    this.#ready = promise;
    this.#settleReady = { resolve, reject };
    channel.listen(
      (message) => this.#receive(message),
      (error) => this.#die(error),
    );
  }

  /** Resolves when the worker has opened its files; rejects with why it could not. */
  ready(): Promise<readonly StoreNotice[]> {
    return this.#ready;
  }

  /**
   * Errors: whatever the operation refuses with; E_STORE_BUSY when too many calls wait; the fatal error once the worker
   * is gone.
   */
  ask<Op extends keyof C>(
    op: Op,
    input: C[Op] extends { in: infer In } ? In : never,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<C[Op] extends { out: infer Out } ? Out : never> {
    type Out = C[Op] extends { out: infer O } ? O : never;
    if (this.#dead !== null) return Promise.reject(this.#dead);
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(new GatewayError("E_STORE_BUSY", `${PENDING_MAX} calls wait for the store`));
    }
    const id = this.#nextId++;
    const { promise, resolve, reject } = deferred<Out>();
    // The worker answers each operation with its own type: the two ends are compiled from one table.
    this.#pending.set(id, { resolve: (value) => resolve(value as Out), reject });
    this.#channel.post({ id, call: { op, in: input } as CallOf<C> }, transfer); // same table
    return promise;
  }

  /** How many calls wait for an answer: for the metrics. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** How many calls were answered so far, well or badly: it stands still when the worker hangs. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  /** How large the worker's heap was a few seconds ago; null: it has not said so yet, or has no heap of its own. */
  get heap(): HeapFigures | null {
    return this.#heap;
  }

  /** The caller has ended the worker: from now on calls are refused, and its death is no news. */
  async end(): Promise<void> {
    this.#dead ??= new GatewayError("E_STORE_BUSY", "the store is closed");
    await this.#channel.end();
    this.#rejectAll(this.#dead);
  }

  #receive(message: WorkerMessage): void {
    if (message.type === "ready") this.#settleReady.resolve(message.notices);
    else if (message.type === "heap") this.#heap = message.heap;
    else if (message.type === "space") this.#onSpace();
    else if (message.type === "fatal") this.#die(errorOf(message.error));
    else this.#answered(message);
  }

  #answered(message: Answer): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    this.#answeredCount += 1;
    if (message.type === "value") pending.resolve(message.value);
    else pending.reject(errorOf(message.error));
  }

  #die(error: GatewayError): void {
    if (this.#dead !== null) return;
    this.#dead = error;
    this.#rejectAll(error);
    this.#settleReady.reject(error);
    this.#onFatal(error);
  }

  #rejectAll(error: GatewayError): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(error);
  }
}

function deferred<T>() {
  let settle: { resolve: (value: T) => void; reject: (error: GatewayError) => void } | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Whoever never looks at it (a call at the moment of a fatal failure) must not end the process by that.
  promise.catch(() => {});
  return {
    promise,
    resolve: (value: T) => settle?.resolve(value),
    reject: (error: GatewayError) => settle?.reject(error),
  };
}
