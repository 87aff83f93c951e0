/**
 * The newest events as ready JSON text, so that a viewer who was away shortly misses nothing.
 *
 *   fromId ─▶ [ event event event … event ] ◀─ scannedTo
 *             everything after fromId is in here, or there was nothing to show
 */
import type { LiveText } from "../model/spool.js";
import type { LiveLimits } from "./live-limits.js";

/** The newest events, bounded in number and bytes. */
export class ReplayRing {
  readonly #limits: LiveLimits;
  #events: LiveText[] = [];
  #bytes = 0;
  #fromId = 0;

  constructor(limits: LiveLimits) {
    this.#limits = limits;
  }

  /** Start empty: everything after `recordId` will be pushed. */
  restart(recordId: number): void {
    this.#events = [];
    this.#bytes = 0;
    this.#fromId = recordId;
  }

  push(events: readonly LiveText[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += event.json.length;
    }
    this.#trim();
  }

  /** Every event after `recordId`, or null when some of them are no longer here. */
  after(recordId: number): readonly LiveText[] | null {
    if (recordId < this.#fromId) return null;
    return this.#events.filter((event) => event.id > recordId);
  }

  #trim(): void {
    let dropped = 0;
    let bytes = this.#bytes;
    const over = this.#events.length - this.#limits.replayEventsMax;
    for (const event of this.#events) {
      if (dropped >= over && bytes <= this.#limits.replayBytesMax) break;
      bytes -= event.json.length;
      this.#fromId = event.id;
      dropped += 1;
    }
    if (dropped > 0) this.#events = this.#events.slice(dropped);
    this.#bytes = bytes;
  }
}
