/**
 * The broker above, as a sink's session sees it: takes QoS 1 messages and acks them, and fails in every way that
 * brokers do. What it took it keeps, whatever becomes of the session.
 *
 *   publish ──latency──▶ taken ──latency──▶ PUBACK
 *                          └─ the session dies in between: taken, and nobody was told
 */
import type { OutgoingMessage } from "tidegate/dist/northbound/mqtt-connection.js";
import type { LanePublisher } from "tidegate/dist/northbound/sink-lanes.js";
import { Poison, type PoisonProfile } from "./poison.js";
import type { Seeded } from "./seeded.js";
import type { Timeline } from "./timeline.js";

type AckListener = Parameters<LanePublisher["publish"]>[1];

export interface BrokerProfile {
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Messages in flight that it allows. */
  readonly receiveMaximum: number;
  /** Chance, per message, that the session dies with its ack lost. */
  readonly ackLoss: number;
  readonly poison: PoisonProfile;
}

export interface BrokerEvents {
  up(publisher: LanePublisher): void;
  room(): void;
  /** @param byBroker it was the broker that closed the connection, and the sink has seen it do so. */
  down(byBroker: boolean): void;
}

/** How a session ends: the sink left; the broker closed it; nothing came any more. */
type End = "left" | "closed" | "silent";

/** One broker; outlives every process of the gateway. Times in ms of the timeline. */
export class Broker {
  readonly poison: Poison;
  readonly #timeline: Timeline;
  readonly #random: Seeded;
  readonly #profile: BrokerProfile;
  readonly #taken: (topic: string, payload: string) => void;
  #session: BrokerSession | null = null;
  #downUntilMs = 0;
  #silentUntilMs = 0;
  isCalm = false;

  constructor(
    timeline: Timeline,
    random: Seeded,
    profile: BrokerProfile,
    taken: (topic: string, payload: string) => void,
  ) {
    this.#timeline = timeline;
    this.#random = random;
    this.#profile = profile;
    this.#taken = taken;
    this.poison = new Poison(profile.poison, random.u32());
  }

  /** A sink connects. @returns the way to leave at once. */
  connect(events: BrokerEvents): () => void {
    const session = new BrokerSession(this, events);
    this.#session?.end("left");
    this.#session = session;
    this.later(() => {
      if (this.#timeline.nowMs < this.#downUntilMs) session.end("closed");
      else session.open();
    });
    return () => session.end("left");
  }

  goDown(forMs: number): void {
    this.#downUntilMs = this.#timeline.nowMs + forMs;
    this.#session?.end("closed");
  }

  /** Takes connections and messages, and answers nothing, until the sink's keepalive ends the session. */
  fallSilent(forMs: number): void {
    this.#silentUntilMs = this.#timeline.nowMs + forMs;
    this.#timeline.after(forMs, () => this.#session?.end("silent"));
  }

  calm(): void {
    this.isCalm = true;
    this.#downUntilMs = 0;
  }

  get isSilent(): boolean {
    return this.#timeline.nowMs < this.#silentUntilMs;
  }

  get receiveMaximum(): number {
    return this.#profile.receiveMaximum;
  }

  later(fn: () => void): void {
    this.#timeline.after(this.#random.spread(this.#profile.latencyMsMin, this.#profile.latencyMsMax), fn);
  }

  /** @returns whether the ack is lost, and the session with it. */
  take(topic: string, payload: string): boolean {
    this.#taken(topic, payload);
    return !this.isCalm && this.#random.chance(this.#profile.ackLoss);
  }
}

class BrokerSession implements LanePublisher {
  readonly session;
  readonly isWritable = true;
  readonly #broker: Broker;
  readonly #events: BrokerEvents;
  readonly #waiting: (() => void)[] = [];
  #state: "opening" | "open" | "ended" = "opening";
  #inFlightCount = 0;

  constructor(broker: Broker, events: BrokerEvents) {
    this.#broker = broker;
    this.#events = events;
    this.session = { version: 5, window: broker.receiveMaximum, packetBytesMax: 1_000_000 } as const;
  }

  get freeSlots(): number {
    return this.#state === "open" ? this.#broker.receiveMaximum - this.#inFlightCount : 0;
  }

  open(): void {
    if (this.#state !== "opening") return;
    this.#state = "open";
    this.#events.up(this);
  }

  end(how: End): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#waiting.length = 0;
    if (how !== "left") this.#events.down(how === "closed");
  }

  publish(message: OutgoingMessage, listener: AckListener, token: number): void {
    if (this.#state !== "open") return;
    this.#inFlightCount += 1;
    const [topic, payload] = [String(message.topic), String(message.payload)];
    // One connection keeps the order: each message goes one step further when the one before has.
    const id = message.id ?? "";
    this.#waiting.push(() => this.#arrived({ topic, payload, id }, (code) => listener.acked(token, code)));
    this.#broker.later(() => this.#waiting.shift()?.());
  }

  publishUnacked(): void {}

  flush(): void {}

  #arrived(message: { topic: string; payload: string; id: string }, ack: (reasonCode: number) => void): void {
    const verdict = message.id === "" ? "take" : this.#broker.poison.judge(message.id);
    const isLost = verdict === "take" && this.#broker.take(message.topic, message.payload);
    if (isLost || verdict === "hangUp") {
      this.end("closed");
      return;
    }
    if (this.#broker.isSilent) return;
    this.#broker.later(() => {
      if (this.#state !== "open") return;
      this.#inFlightCount -= 1;
      ack(verdict === "take" ? 0 : verdict);
      this.#events.room();
    });
  }
}
