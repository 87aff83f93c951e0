/**
 * The gateway's sink on the simulated broker: the real lanes with pump, requeued records and watermarks, and the real
 * sink machine; only the bytes of MQTT are left out, and with them the connection's own keepalive (the broker's
 * silence ends by itself).
 */
import { SILENT } from "tidegate/dist/core/log.js";
import { Metrics } from "tidegate/dist/core/metrics.js";
import { MQTT_LIMITS } from "tidegate/dist/northbound/mqtt-options.js";
import { SINK_STOPPED, type SinkEffect, type SinkEvent, step } from "tidegate/dist/northbound/sink-machine.js";
import { makeSinkParts } from "tidegate/dist/northbound/sink-parts.js";
import type { Broker } from "./broker.js";
import type { ProcessClock } from "./process-clock.js";
import type { Seeded } from "./seeded.js";
import { GATEWAY_ID } from "./store/sim-reader.js";
import type { WorldStore } from "./store/world-store.js";

export const SINK = "broker";

/** Small slices, so that their borders are met often; watermarks in the measure of a world's minutes. */
const LIMITS = { ...MQTT_LIMITS, sliceRows: 7, backoffCapMs: 20_000, watermarkIntervalMs: 5_000, backlogCountMin: 8 };
const MACHINE_LIMITS = {
  backoff: { baseMs: LIMITS.backoffBaseMs, capMs: LIMITS.backoffCapMs },
  blockedRetryMs: LIMITS.blockedRetryMs,
};

export interface SinkSettings {
  /** After an outage the newest first, and this share for the backlog; null: everything in order. */
  readonly backlogShare: number | null;
}

export interface SinkProcessParts {
  readonly store: WorldStore;
  readonly broker: Broker;
  readonly clock: ProcessClock;
  readonly random: Seeded;
  readonly settings: SinkSettings;
  /** Id of the newest durable record. */
  readonly lastRecordId: number;
}

/** One per life of the gateway. */
export class SinkProcess {
  readonly #world: SinkProcessParts;
  readonly #parts: ReturnType<typeof makeSinkParts>;
  #state = SINK_STOPPED;
  #isUp = false;
  #leave: () => void = () => {};
  #cancelRetry: () => void = () => {};
  #cancelStable: () => void = () => {};

  constructor(world: SinkProcessParts) {
    this.#world = world;
    const { store, clock, random, settings, lastRecordId } = world;
    const liveFirst = settings.backlogShare === null ? {} : { liveFirst: { backlogShare: settings.backlogShare } };
    const options = { name: SINK, gatewayId: GATEWAY_ID, url: "mqtt://broker", ...liveFirst };
    this.#parts = makeSinkParts(
      { options, limits: LIMITS, topicHead: `tidegate/${GATEWAY_ID}/` },
      {
        ...{ reader: store.reader, spool: store.spool, cursor: store.cursorOf(SINK), lastRecordId },
        ...{ clock, random, log: SILENT, metrics: new Metrics() },
        fail: () => {
          this.#leave();
          this.#down(false);
        },
      },
    );
  }

  start(): void {
    this.#step({ type: "start" });
  }

  committed(lastRecordId: number): void {
    this.#parts.pump.committed(lastRecordId);
    this.#parts.lanes.fill();
  }

  /** Something that was aside is to be tried again. */
  requeued(): void {
    this.#parts.requeued.look();
  }

  get cursor(): number {
    return this.#parts.pump.cursor;
  }

  /** The process died: the broker's end of the session is gone as well. */
  kill(): void {
    this.#leave();
  }

  #step(event: SinkEvent): void {
    const { state, effects } = step(this.#state, event, this.#world.random.unit(), MACHINE_LIMITS);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: SinkEffect): void {
    const { clock } = this.#world;
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
    const { broker, clock } = this.#world;
    this.#leave = broker.connect({
      up: (publisher) => {
        if (!clock.isAlive) return;
        this.#isUp = true;
        this.#step({ type: "up" });
        this.#parts.lanes.attach(publisher);
        this.#parts.lanes.fill();
      },
      room: () => clock.isAlive && this.#parts.lanes.fill(),
      down: (byBroker) => clock.isAlive && this.#down(byBroker),
    });
  }

  #down(byBroker: boolean): void {
    if (this.#isUp) this.#parts.lanes.detach(byBroker);
    this.#isUp = false;
    const failure = { kind: "network", code: "E_SINK_UNAVAILABLE", why: "the broker is away", fix: "wait" } as const;
    this.#step({ type: "down", failure });
  }
}
