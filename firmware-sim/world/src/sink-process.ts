/**
 * The gateway's sink on the simulated broker: the real pump and the real sink machine; only the bytes of MQTT are left
 * out, and with them the connection's own keepalive (the broker's silence ends by itself).
 */
import { SILENT } from "tidegate/dist/core/log.js";
import { Counter } from "tidegate/dist/core/metrics.js";
import type { Publisher } from "tidegate/dist/northbound/mqtt-connection.js";
import { MQTT_LIMITS } from "tidegate/dist/northbound/mqtt-options.js";
import { Pump } from "tidegate/dist/northbound/pump.js";
import { SINK_STOPPED, type SinkEffect, type SinkEvent, step } from "tidegate/dist/northbound/sink-machine.js";
import type { Broker } from "./broker.js";
import type { ProcessClock } from "./process-clock.js";
import type { Seeded } from "./seeded.js";
import { GATEWAY_ID } from "./store/sim-reader.js";
import type { WorldStore } from "./store/world-store.js";

export const SINK = "broker";

/** Small slices, so that their borders are met often. */
const LIMITS = { ...MQTT_LIMITS, sliceRows: 7, backoffCapMs: 20_000 };
const MACHINE_LIMITS = {
  backoff: { baseMs: LIMITS.backoffBaseMs, capMs: LIMITS.backoffCapMs },
  blockedRetryMs: LIMITS.blockedRetryMs,
};

export interface SinkParts {
  readonly store: WorldStore;
  readonly broker: Broker;
  readonly clock: ProcessClock;
  readonly random: Seeded;
}

/** One per life of the gateway. */
export class SinkProcess {
  readonly #parts: SinkParts;
  readonly #pump: Pump;
  #state = SINK_STOPPED;
  #publisher: Publisher | null = null;
  #leave: () => void = () => {};
  #cancelRetry: () => void = () => {};
  #cancelStable: () => void = () => {};

  constructor(parts: SinkParts) {
    this.#parts = parts;
    const { store, clock, random } = parts;
    this.#pump = new Pump(
      { sink: SINK, topicHead: `tidegate/${GATEWAY_ID}/`, cursor: store.cursorOf(SINK), limits: LIMITS },
      {
        reader: store.reader,
        spool: store.spool,
        clock,
        random,
        log: SILENT,
        counters: { delivered: new Counter(), retried: new Counter(), quarantined: new Counter() },
        wake: () => this.#fill(),
        fail: () => this.#down(),
      },
    );
  }

  start(): void {
    this.#step({ type: "start" });
  }

  committed(lastRecordId: number): void {
    this.#pump.committed(lastRecordId);
    this.#fill();
  }

  get cursor(): number {
    return this.#pump.cursor;
  }

  /** The process died: the broker's end of the session is gone as well. */
  kill(): void {
    this.#leave();
  }

  #step(event: SinkEvent): void {
    const { state, effects } = step(this.#state, event, this.#parts.random.unit(), MACHINE_LIMITS);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SinkEffect): void {
    const { clock } = this.#parts;
    switch (effect.type) {
      case "open":
        this.#open();
        break;
      case "close":
        this.#leave();
        break;
      case "retryAfter":
        this.#cancelRetry = clock.after(effect.delayMs, () => this.#step({ type: "retry" }));
        break;
      case "stableAfter":
        this.#cancelStable = clock.after(LIMITS.stableAfterMs, () => this.#step({ type: "stable" }));
        break;
      case "cancelTimers":
        this.#cancelRetry();
        this.#cancelStable();
    }
  }

  #open(): void {
    this.#leave = this.#parts.broker.connect({
      up: (publisher) => {
        if (!this.#parts.clock.isAlive) return;
        this.#publisher = publisher;
        this.#step({ type: "up" });
        this.#pump.attach(publisher);
        this.#fill();
      },
      room: () => this.#parts.clock.isAlive && this.#fill(),
      down: () => this.#parts.clock.isAlive && this.#down(),
    });
  }

  #down(): void {
    this.#publisher = null;
    this.#pump.detach(false);
    const failure = { kind: "network", code: "E_SINK_UNAVAILABLE", why: "the broker is away", fix: "wait" } as const;
    this.#step({ type: "down", failure });
  }

  #fill(): void {
    while (this.#publisher !== null && this.#pump.sendNext());
  }
}
