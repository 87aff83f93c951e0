/**
 * Follows the spool for the feed: reads what was committed, in bounded slices, and skips ahead when it cannot keep up.
 *
 *   committed ──────────────────────────────────────▶ newest record
 *   scannedTo ────▶ read ≤ 2,000 rows a tick            └ more than ten ticks behind: jump, events are `conflated`
 *
 * Keeps the newest values and the replay ring up to date on the way.
 */
import type { Counter, Metrics } from "../core/metrics.js";
import type { LiveEvent } from "../model/spool.js";
import type { LiveSource } from "./admin-host.js";
import { LatestValues } from "./latest-values.js";
import type { LiveLimits } from "./live-limits.js";
import { type ReplayEvent, ReplayRing } from "./replay-ring.js";

/** How many ticks' worth of records may wait before the tail jumps. */
const TICKS_BEHIND_MAX = 10;

/** What one read brought. */
export interface TailStep {
  readonly events: readonly ReplayEvent[];
  /** Records before these were left out. */
  readonly conflated: boolean;
}

/** The one reader of the spool behind the feed. `open` once, then `step` while `pending`. */
export class LiveTail {
  readonly latest: LatestValues;
  readonly ring: ReplayRing;
  storeId = "";
  /** Every record up to here was looked at. */
  scannedTo = 0;
  #committed = 0;
  #more = false;
  readonly #source: LiveSource;
  readonly #limits: LiveLimits;
  readonly #skipped: Counter;
  readonly #refused: Counter;

  constructor(source: LiveSource, limits: LiveLimits, metrics: Metrics) {
    this.#source = source;
    this.#limits = limits;
    this.latest = new LatestValues(limits);
    this.ring = new ReplayRing(limits);
    this.#skipped = metrics.counter("live_skipped_records", "Records the live feed left out to keep up");
    this.#refused = metrics.counter("live_latest_refused", "Signal values not kept because a bound was reached");
  }

  /** Is there something to read? */
  get pending(): boolean {
    return this.#more || this.#committed > this.scannedTo;
  }

  noteCommitted(lastRecordId: number): void {
    this.#committed = Math.max(this.#committed, lastRecordId);
  }

  /** Begin near the end: fill the replay ring and the newest values from the last records. */
  async open(): Promise<void> {
    const { storeId, lastRecordId } = await this.#source.position();
    this.storeId = storeId;
    this.#restartAt(Math.max(0, lastRecordId - this.#limits.replayEventsMax));
    this.noteCommitted(lastRecordId);
    for (const known of (await this.#source.latest?.()) ?? []) {
      this.latest.note(known.device, known.readings, 0, Number.MAX_SAFE_INTEGER);
    }
    // A slice may be cut short by its time limit; a few of them reach the end of 1,000 records.
    for (let slices = 0; slices < 10 && this.pending; slices++) await this.step();
  }

  /** Read one slice. Rejects as the source does; the next call tries the same records again. */
  async step(): Promise<TailStep> {
    const jumped = this.#jumpWhenFarBehind();
    const committed = this.#committed;
    const slice = await this.#source.read(this.scannedTo, this.#limits.rowsPerTickMax);
    // Records the source deleted before they were read: the ring must not promise them.
    if (slice.missed) this.#restartAt((slice.events[0]?.id ?? slice.scannedToId + 1) - 1);
    const events = slice.events.map((event) => this.#take(event));
    this.ring.push(events);
    this.#more = slice.more;
    // A slice without more saw everything that was committed when it was asked for, whatever its last row was.
    this.scannedTo = Math.max(this.scannedTo, slice.scannedToId, slice.more ? 0 : committed);
    return { events, conflated: jumped || slice.missed };
  }

  #take(event: LiveEvent): ReplayEvent {
    if (event.readings !== undefined) {
      const refused = this.latest.refusedCount;
      this.latest.note(event.device, event.readings, event.id, event.receivedUnixMs);
      this.#refused.add(this.latest.refusedCount - refused);
    }
    return { id: event.id, json: JSON.stringify(event) };
  }

  #jumpWhenFarBehind(): boolean {
    const behind = this.#committed - this.scannedTo;
    if (behind <= this.#limits.rowsPerTickMax * TICKS_BEHIND_MAX) return false;
    const target = this.#committed - this.#limits.rowsPerTickMax;
    this.#skipped.add(target - this.scannedTo);
    this.#restartAt(target);
    return true;
  }

  #restartAt(recordId: number): void {
    this.scannedTo = recordId;
    this.ring.restart(recordId);
  }
}
