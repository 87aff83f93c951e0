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

interface DeviceState {
  readonly latest: Map<string, LiveReading>;
  /** Something is new since it was sent. */
  isChanged: boolean;
}

/** As many signals as a catalog can hold. */
const SIGNALS_MAX = 1_024;
/** Longer values belong into the data topic: a retained state is sent again and again. */
const VALUE_CHARS_MAX = 1_024;
/** A reading this far in the future comes from a wrong clock and must not outlive correct ones. */
const FUTURE_MS_MAX = 60_000;

/**
 *   changed ──▶ ready ──sent──▶ cooling (one interval) ──changed meanwhile──▶ ready
 *                                     └──not changed──▶ at rest
 */
export class StateTopics {
  readonly #devices = new Map<string, DeviceState>();
  /** May be sent now, the longest waiting first. */
  readonly #ready = new Set<string>();
  /** Sent less than an interval ago, with the time that ends; in that order, because every interval is the same. */
  readonly #cooling = new Map<string, number>();
  #isAttached = false;
  #cancel: (() => void) | null = null;
  readonly #options: StateTopicsOptions;
  readonly #deps: StateTopicsDeps;

  constructor(options: StateTopicsOptions, deps: StateTopicsDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Take the values of a live event; they are sent when the device's turn comes. */
  observe(event: LiveEvent): void {
    if (event.readings === undefined || event.readings.length === 0) return;
    const device = this.#device(event.device);
    if (device === null) return;
    for (const reading of event.readings) this.#take(device, reading);
    device.isChanged = true;
    if (!this.#cooling.has(event.device)) {
      this.#ready.add(event.device);
      if (this.#isAttached) this.#deps.wake();
    } else this.#wakeAtNextCooled();
  }

  /** Nothing more is sent of the device; what the broker retains is for StatusTopics to clear. */
  forget(device: string): void {
    this.#devices.delete(device);
    this.#ready.delete(device);
    this.#cooling.delete(device);
  }

  /** A session is up: the broker may have forgotten everything retained, so every known state is sent again. */
  attach(): void {
    this.#isAttached = true;
    for (const [name, device] of this.#devices) {
      device.isChanged = true;
      if (!this.#cooling.has(name)) this.#ready.add(name);
    }
    this.#wakeAtNextCooled();
  }

  /** Nothing is sent until `attach`, and no timer stays. Values are still taken. */
  detach(): void {
    this.#isAttached = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Send one state whose turn it is. @returns false when there is none. */
  sendNext(publisher: Publisher): boolean {
    const now = this.#deps.clock.monoMs();
    this.#endCooling(now);
    for (const name of this.#ready) {
      this.#ready.delete(name);
      const device = this.#devices.get(name);
      if (device === undefined) continue;
      device.isChanged = false;
      this.#cooling.set(name, now + this.#options.intervalMs);
      if (this.#publish(name, device, publisher)) return true;
    }
    return false;
  }

  #endCooling(now: number): void {
    for (const [name, endsAtMs] of this.#cooling) {
      if (endsAtMs > now) break;
      this.#cooling.delete(name);
      if (this.#devices.get(name)?.isChanged === true) this.#ready.add(name);
    }
  }

  /** One timer for all devices: at the end of the oldest cooling, while anything may be waiting for one. */
  #wakeAtNextCooled(): void {
    const [first] = this.#cooling;
    if (this.#cancel !== null || first === undefined || !this.#isAttached) return;
    const afterMs = Math.max(0, first[1] - this.#deps.clock.monoMs());
    this.#cancel = this.#deps.clock.after(afterMs, () => {
      this.#cancel = null;
      this.#endCooling(this.#deps.clock.monoMs());
      this.#wakeAtNextCooled();
      if (this.#ready.size > 0) this.#deps.wake();
    });
  }

  #device(name: string): DeviceState | null {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    if (this.#devices.size >= this.#options.devicesMax) {
      this.#deps.shed.add();
      return null;
    }
    const device: DeviceState = { latest: new Map(), isChanged: false };
    this.#devices.set(name, device);
    return device;
  }

  #take(device: DeviceState, reading: LiveReading): void {
    const isTooLong = typeof reading.v === "string" && reading.v.length > VALUE_CHARS_MAX;
    const before = device.latest.get(reading.signal);
    if (isTooLong || (before === undefined && device.latest.size >= SIGNALS_MAX)) {
      this.#deps.shed.add();
      return;
    }
    const isOlder = before !== undefined && reading.t < before.t;
    if (isOlder && before.t <= this.#deps.clock.unixMs() + FUTURE_MS_MAX) return;
    device.latest.set(reading.signal, reading);
  }

  #publish(name: string, device: DeviceState, publisher: Publisher): boolean {
    const topic = `${this.#options.topicHead}${name}/state`;
    const payload = stateJson(device.latest.values());
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
