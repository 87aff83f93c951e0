/**
 * `<device>/state`: a retained JSON object with the latest value of every signal, for dashboards that come late.
 *
 *   {"temperature":21.4,"door":true,"_t":1700000000000}      _t: Unix ms of the newest reading
 *
 * Fed by live events only, never from the backlog; conflated to one message per device and interval; QoS 0, because
 * the next one replaces it anyway. A name that begins with an underscore is no signal key, so `_t` collides with none.
 */
import type { Clock } from "../core/clock.js";
import type { Counter } from "../core/metrics.js";
import type { LiveEvent, LiveReading } from "../model/spool.js";
import type { Publisher } from "./mqtt-connection.js";
import { Pacer } from "./pacer.js";
import { publishBytes } from "./publish-size.js";

export interface StateTopicsOptions {
  /** `tidegate/<gw>/` */
  readonly topicHead: string;
  readonly intervalMs: number;
  readonly devicesMax: number;
}

export interface StateTopicsDeps {
  readonly clock: Clock;
  /** Counts devices and values that found no room. */
  readonly shed: Counter;
  /** There may be something to send. */
  readonly wake: () => void;
}

/** As many signals as a catalog can hold. */
const SIGNALS_MAX = 1_024;
/** Longer values belong into the data topic: a retained state is sent again and again. */
const VALUE_CHARS_MAX = 1_024;
/** A reading this far in the future comes from a wrong clock and must not outlive correct ones. */
const FUTURE_MS_MAX = 60_000;

/** The latest values of every device; whose turn it is says the pacer. */
export class StateTopics {
  /** Per device and signal. */
  readonly #devices = new Map<string, Map<string, LiveReading>>();
  readonly #pacer: Pacer;
  readonly #options: StateTopicsOptions;
  readonly #deps: StateTopicsDeps;

  constructor(options: StateTopicsOptions, deps: StateTopicsDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#pacer = new Pacer(options.intervalMs, deps);
  }

  /** Take the values of a live event; they are sent when the device's turn comes. */
  observe(event: LiveEvent): void {
    if (event.readings === undefined || event.readings.length === 0) return;
    const device = this.#device(event.device);
    if (device === null) return;
    for (const reading of event.readings) this.#take(device, reading);
    this.#pacer.changed(event.device);
  }

  /** Nothing more is sent of the device; what the broker retains is for StatusTopics to clear. */
  forget(device: string): void {
    this.#devices.delete(device);
    this.#pacer.forget(device);
  }

  /** A session is up: the broker may have forgotten everything retained, so every known state is sent again. */
  attach(): void {
    this.#pacer.attach(this.#devices.keys());
  }

  /** Nothing is sent until `attach`, and no timer stays. Values are still taken. */
  detach(): void {
    this.#pacer.detach();
  }

  /** Send one state whose turn it is. @returns false when there is none. */
  sendNext(publisher: Publisher): boolean {
    for (let name = this.#pacer.next(); name !== null; name = this.#pacer.next()) {
      const device = this.#devices.get(name);
      if (device !== undefined && this.#publish(name, device, publisher)) return true;
    }
    return false;
  }

  #device(name: string): Map<string, LiveReading> | null {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    if (this.#devices.size >= this.#options.devicesMax) {
      this.#deps.shed.add();
      return null;
    }
    const device = new Map<string, LiveReading>();
    this.#devices.set(name, device);
    return device;
  }

  #take(latest: Map<string, LiveReading>, reading: LiveReading): void {
    const isTooLong = typeof reading.v === "string" && reading.v.length > VALUE_CHARS_MAX;
    const before = latest.get(reading.signal);
    if (isTooLong || (before === undefined && latest.size >= SIGNALS_MAX)) {
      this.#deps.shed.add();
      return;
    }
    const isOlder = before !== undefined && reading.t < before.t;
    if (isOlder && before.t <= this.#deps.clock.unixMs() + FUTURE_MS_MAX) return;
    latest.set(reading.signal, reading);
  }

  #publish(name: string, latest: ReadonlyMap<string, LiveReading>, publisher: Publisher): boolean {
    const topic = `${this.#options.topicHead}${name}/state`;
    const payload = stateJson(latest.values());
    if (publishBytes(topic.length, Buffer.byteLength(payload), "") > publisher.session.packetBytesMax) {
      this.#deps.shed.add();
      return false;
    }
    publisher.publishUnacked({ topic, payload, retain: true });
    return true;
  }
}

function stateJson(readings: Iterable<LiveReading>): string {
  const values: Record<string, LiveReading["v"]> = Object.create(null); // keys like "constructor" are legal signals
  let newest = 0;
  for (const { signal, t, v } of readings) {
    values[signal] = v;
    newest = Math.max(newest, t);
  }
  values["_t"] = newest;
  return JSON.stringify(values);
}
