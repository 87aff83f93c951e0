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

interface Held {
  readonly reading: LiveReading;
  readonly recordId: number;
}

export interface LatestChange extends Held {
  readonly device: string;
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
    return Array.from(this.#devices.get(device)?.values() ?? [], (held) => held.reading);
  }

  /** Values that changed with records after `recordId`, in order of the record that brought them. */
  since(recordId: number): LatestChange[] {
    const changed: LatestChange[] = [];
    for (const [device, signals] of this.#devices) {
      for (const held of signals.values()) if (held.recordId > recordId) changed.push({ device, ...held });
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
      if (replaces(held.reading.t, reading.t, receivedUnixMs)) {
        signals.set(reading.signal, { reading: shortened(reading), recordId });
      }
      return;
    }
    if (signals.size >= this.#limits.signalsPerDeviceMax || this.#count >= this.#limits.latestValuesMax) {
      this.refusedCount += 1;
      return;
    }
    this.#count += 1;
    signals.set(reading.signal, { reading: shortened(reading), recordId });
  }
}

function shortened(reading: LiveReading): LiveReading {
  if (typeof reading.v !== "string" || reading.v.length <= TEXT_CHARACTERS_MAX) return reading;
  return { ...reading, v: `${reading.v.slice(0, TEXT_CHARACTERS_MAX - 1)}…` };
}
