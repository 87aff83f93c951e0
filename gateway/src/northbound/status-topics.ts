/**
 * `<device>/status`: online, offline or sleeping, retained, QoS 1. Only the newest one of a device waits, so a device
 * that flaps costs one place; after a reconnect every known one is published again.
 */
import type { Counter } from "../core/metrics.js";
import { ReasonCode } from "./connack-failure.js";
import type { AckListener } from "./in-flight.js";
import type { Publisher } from "./mqtt-connection.js";

export type Presence = "online" | "offline" | "sleeping";

/** One per sink; remembers the presence of every device it was told of. */
export class StatusTopics implements AckListener {
  readonly #presences = new Map<string, Presence>();
  readonly #pending = new Set<string>();
  /** Forgotten devices whose retained messages are to be cleared: an empty retained message does it. */
  readonly #toClear = new Set<string>();
  readonly #topicHead: string;
  readonly #devicesMax: number;
  readonly #shed: Counter;

  /** @param shed counts devices that found no room, and statuses the broker refused. */
  constructor(topicHead: string, devicesMax: number, shed: Counter) {
    this.#topicHead = topicHead;
    this.#devicesMax = devicesMax;
    this.#shed = shed;
  }

  changed(device: string, presence: Presence): void {
    if (!this.#presences.has(device) && this.#presences.size >= this.#devicesMax) {
      this.#shed.add();
      return;
    }
    this.#presences.set(device, presence);
    this.#pending.add(device);
    this.#toClear.delete(`${device}/status`);
  }

  /** Clear what the broker retains of the device. Not repeated after a reconnect. */
  forget(device: string): void {
    this.#presences.delete(device);
    this.#pending.delete(device);
    if (this.#toClear.size >= this.#devicesMax) this.#shed.add();
    else this.#toClear.add(`${device}/status`).add(`${device}/state`).add(`${device}/watermark`);
  }

  /** A session is up: the broker may have forgotten what it retained. */
  attach(): void {
    for (const device of this.#presences.keys()) this.#pending.add(device);
  }

  /** Send one status. @returns false when none waits or no slot is free. */
  sendNext(publisher: Publisher): boolean {
    if (publisher.freeSlots < 1) return false;
    const [device] = this.#pending;
    if (device !== undefined) {
      this.#pending.delete(device);
      const payload = this.#presences.get(device) ?? "offline";
      publisher.publish({ topic: `${this.#topicHead}${device}/status`, payload, retain: true }, this, 0);
      return true;
    }
    const [topic] = this.#toClear;
    if (topic === undefined) return false;
    this.#toClear.delete(topic);
    publisher.publish({ topic: this.#topicHead + topic, payload: "", retain: true }, this, 0);
    return true;
  }

  /** Nothing to remember: a lost session publishes everything again. */
  acked(_token: number, reasonCode: number): void {
    if (reasonCode >= ReasonCode.unspecified) this.#shed.add();
  }
}
