/**
 * The history worker's inside, without the thread: questions as they come, a turn of the engine between them.
 *
 *   question ─▶ engine ─▶ answer
 *   timer ─▶ engine.tick ─▶ while there is more to follow, again after a rest as long as the turn; else in a second
 */
import type { Clock } from "../core/clock.js";
import { closeDatabase, suspect } from "./database.js";
import type { HistoryEngine } from "./history-engine.js";
import type { OpenHistory } from "./history-open.js";
import type { HistoryCalls } from "./history-protocol.js";
import { isFatal, storeError } from "./sqlite-error.js";
import { type CallOf, plainError, type Question } from "./worker-protocol.js";
import type { Send } from "./writer-host.js";

/** Between two looks at the spool when it had nothing new. A question looks by itself. */
const POLL_MS = 1_000;

/** Between two turns while there is more, at least, so that questions come through. */
const PAUSE_MS = 1;

/**
 * At most: a rest is as long as the turn before it. So the history takes half a core and leaves the disk and the caches
 * to the commits while devices send as fast as they can; it catches up afterwards.
 */
const REST_MS_MAX = 200;

/** Between a port and the engine; ends itself when it cannot go on. */
export class HistoryHost {
  readonly #engine: HistoryEngine;
  readonly #opened: OpenHistory;
  readonly #clock: Clock;
  readonly #send: Send;
  #isStopped = false;
  #cancelTick: () => void;

  constructor(engine: HistoryEngine, opened: OpenHistory, clock: Clock, send: Send) {
    this.#engine = engine;
    this.#opened = opened;
    this.#clock = clock;
    this.#send = send;
    this.#cancelTick = clock.after(PAUSE_MS, () => this.#tick());
  }

  receive({ id, call }: Question<HistoryCalls>): void {
    if (this.#isStopped) return;
    try {
      this.#send({ type: "value", id, value: this.#perform(call) }, []);
    } catch (thrown) {
      this.#fail(id, thrown);
    }
  }

  /** Nothing more is answered and no timer is left; the files are not touched. */
  halt(): void {
    this.#isStopped = true;
    this.#cancelTick();
  }

  #perform(call: CallOf<HistoryCalls>): unknown {
    const engine = this.#engine;
    switch (call.op) {
      case "read":
        return engine.read(call.in);
      case "latest":
        return engine.latest();
      case "progress":
        return engine.progress();
      case "close":
        return this.#close();
    }
  }

  #close(): unknown {
    this.halt();
    try {
      this.#engine.close();
      return this.#engine.progress();
    } finally {
      closeDatabase(this.#opened.db);
    }
  }

  #tick(): void {
    const began = this.#clock.monoMs();
    try {
      const more = this.#engine.tick();
      const restMs = Math.min(REST_MS_MAX, Math.max(PAUSE_MS, this.#clock.monoMs() - began));
      this.#cancelTick = this.#clock.after(more ? restMs : POLL_MS, () => this.#tick());
    } catch (thrown) {
      this.#fail(null, thrown);
    }
  }

  #fail(id: number | null, thrown: unknown): void {
    const error = storeError(thrown, "the history");
    if (!isFatal(error)) {
      if (id !== null) this.#send({ type: "error", id, error: plainError(error) }, []);
      else this.#cancelTick = this.#clock.after(POLL_MS, () => this.#tick());
      return;
    }
    this.halt();
    // Which of the two files was damaged is not known; the history's next opening looks, the spool has its own checks.
    if (error.code === "E_STORE_CORRUPT") suspect(this.#opened.path);
    this.#send({ type: "fatal", error: plainError(error) }, []);
  }
}
