/**
 * The newest value of every signal: what a table of devices shows, and what a viewer gets that fell behind.
 *
 *   device ──▶ signal ──▶ { reading, record id }
 *
 * Bounded per device and in all. A backlog drained late does not overwrite newer values, except when the newer one
 * claims to be from the future (a clock that was wrong once would freeze the value for good).
 */
import type { LiveReading } from "../model/spool.js";
import { replaces } from "../telemetry/latest-fold.js";
import type { LiveLimits } from "./live-limits.js";

/** Longer texts are cut: the table shows a value, the history has the whole. */
const TEXT_CHARACTERS_MAX = 256;

/**
 * One signal's value, written over by the next: a fleet brings thousands a second, and objects that live just long
 * enough to move to the old part of the heap would fill it with garbage.
 */
class Held {
  readonly signal: string;
  #t = 0;
  #v: LiveReading["v"] = null;
  #q: LiveReading["q"] = "good";
  #unit: string | undefined;
  #recordId = 0;

  constructor(signal: string) {
    this.signal = signal;
  }

  get t(): number {
    return this.#t;
  }

  get recordId(): number {
    return this.#recordId;
  }

  take({ t, v, q, unit }: LiveReading, recordId: number): void {
    this.#t = t;
    this.#v = shortened(v);
    this.#q = q;
    // Each message brings a new string that says the same: the one we have may stay where it is.
    if (this.#unit !== unit) this.#unit = unit;
    this.#recordId = recordId;
  }

  reading(): LiveReading {
    const reading = { signal: this.signal, t: this.#t, v: this.#v, q: this.#q };
    return this.#unit === undefined ? reading : { ...reading, unit: this.#unit };
  }
}

export interface LatestChange {
  readonly device: string;
  readonly reading: LiveReading;
  readonly recordId: number;
}

/** The newest reading of every signal of every device, bounded. */
export class LatestValues {
  readonly #limits: LiveLimits;
  readonly #devices = new Map<string, Map<string, Held>>();
  #count = 0;
  /** Values that were not kept because a bound was reached. */
  refusedCount = 0;

  constructor(limits: LiveLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#count;
  }

  note(device: string, readings: readonly LiveReading[], recordId: number, receivedUnixMs: number): void {
    const signals = this.#devices.get(device) ?? new Map<string, Held>();
    for (const reading of readings) this.#keep(signals, reading, recordId, receivedUnixMs);
    if (signals.size > 0) this.#devices.set(device, signals);
  }

  of(device: string): LiveReading[] {
    return Array.from(this.#devices.get(device)?.values() ?? [], (held) => held.reading());
  }

  /** Values that changed with records after `recordId`, in order of the record that brought them. */
  since(recordId: number): LatestChange[] {
    const changed: LatestChange[] = [];
    for (const [device, signals] of this.#devices) {
      for (const held of signals.values()) {
        if (held.recordId > recordId) changed.push({ device, reading: held.reading(), recordId: held.recordId });
      }
    }
    return changed.sort((a, b) => a.recordId - b.recordId);
  }

  /** The device is gone for good: its values free their room. */
  forget(device: string): void {
    this.#count -= this.#devices.get(device)?.size ?? 0;
    this.#devices.delete(device);
  }

  #keep(signals: Map<string, Held>, reading: LiveReading, recordId: number, receivedUnixMs: number): void {
    const held = signals.get(reading.signal);
    if (held !== undefined) {
      if (replaces(held.t, reading.t, receivedUnixMs)) held.take(reading, recordId);
      return;
    }
    if (signals.size >= this.#limits.signalsPerDeviceMax || this.#count >= this.#limits.latestValuesMax) {
      this.refusedCount += 1;
      return;
    }
    this.#count += 1;
    const made = new Held(reading.signal);
    made.take(reading, recordId);
    signals.set(made.signal, made);
  }
}

function shortened(value: LiveReading["v"]): LiveReading["v"] {
  if (typeof value !== "string" || value.length <= TEXT_CHARACTERS_MAX) return value;
  return `${value.slice(0, TEXT_CHARACTERS_MAX - 1)}…`;
}
