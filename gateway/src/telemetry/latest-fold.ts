/**
 * Many events folded into the newest value per signal: what crosses to the main thread when nobody wants each event.
 *
 *   event, event, event … ──▶ device ──▶ signal ──▶ newest reading ──▶ one event per device, by record id
 */
import type { LiveEvent, LiveReading } from "../model/spool.js";

/** How far a device's clock may run ahead of the gateway's before its stamp stops protecting a value. */
const AHEAD_MS_MAX = 60_000;

/**
 * Does a reading take the place of the one held? A backlog that comes late does not overwrite newer values, except when
 * the newer one claims to be from the future: a clock that was wrong once would freeze the value for good.
 */
export function replaces(heldUnixMs: number, newUnixMs: number, receivedUnixMs: number): boolean {
  return newUnixMs >= heldUnixMs || heldUnixMs > receivedUnixMs + AHEAD_MS_MAX;
}

interface Folded {
  id: number;
  receivedUnixMs: number;
  readonly readings: Map<string, LiveReading>;
}

/** Folds the events of one slice; of no use after `events`. Events without readings are left out. */
export class LatestFold {
  readonly #devices = new Map<string, Folded>();

  add(event: LiveEvent): void {
    if (event.readings === undefined) return;
    let folded = this.#devices.get(event.device);
    if (folded === undefined) {
      folded = { id: event.id, receivedUnixMs: event.receivedUnixMs, readings: new Map() };
      this.#devices.set(event.device, folded);
    }
    folded.id = event.id;
    folded.receivedUnixMs = event.receivedUnixMs;
    for (const reading of event.readings) {
      const held = folded.readings.get(reading.signal);
      if (held === undefined || replaces(held.t, reading.t, event.receivedUnixMs)) {
        folded.readings.set(reading.signal, reading);
      }
    }
  }

  /** One event per device with all its newest readings, under the id of the device's last record, in order of ids. */
  events(): LiveEvent[] {
    const events = Array.from(
      this.#devices,
      ([device, { id, receivedUnixMs, readings }]): LiveEvent => ({
        id,
        device,
        kind: "data",
        receivedUnixMs,
        readings: [...readings.values()],
      }),
    );
    return events.sort((a, b) => a.id - b.id);
  }
}
