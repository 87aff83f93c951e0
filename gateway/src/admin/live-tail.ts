/**
 * Follows the spool for the feed: reads what was committed, in bounded slices, and skips ahead when it cannot keep up.
 *
 *   nobody looks     ─▶ nothing is read; only the newest record's id is known
 *   states wanted    ─▶ newest values, folded per device in the reader worker
 *   viewers          ─▶ each event as text, written in the reader worker, and the replay ring behind them
 *
 *   committed ──────────────────────────────────────▶ newest record
 *   scannedTo ────▶ read ≤ 1,000 rows at a time         └ more than ten reads behind: jump, events are `conflated`
 *
 * Whoever begins to look gets the last 1,000 records first, so that a resumed viewer misses nothing; values older than
 * those come from the history.
 */
import type { Counter, Metrics } from "../core/metrics.js";
import type { LiveEvent, LiveText } from "../model/spool.js";
import type { LiveShape, LiveSource } from "./admin-host.js";
import { LatestValues } from "./latest-values.js";
import type { LiveLimits } from "./live-limits.js";
import { ReplayRing } from "./replay-ring.js";

/** How many reads' worth of records may wait before the tail jumps; also how many are made at once to catch up. */
const READS_BEHIND_MAX = 10;

/** What the feed has a use for. */
export type Following = "nothing" | LiveShape;

/** What one turn brought. */
export interface TailStep {
  readonly events: readonly LiveText[];
  /** Records before these were left out. */
  readonly conflated: boolean;
}

const NO_NEWS: TailStep = { events: [], conflated: false };

/** The one reader of the spool behind the feed. `open` once, then `advance` while `pending`; one call at a time. */
export class LiveTail {
  readonly latest: LatestValues;
  readonly ring: ReplayRing;
  storeId = "";
  /** Every record up to here was looked at, or left out because nobody looked. */
  scannedTo = 0;
  #following: Following = "nothing";
  #committed = 0;
  #more = false;
  /** Values of before this start are not known yet. */
  #isNew = true;
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

  /** Is there something that was not looked at? */
  get pending(): boolean {
    return this.#isNew || this.#more || this.#committed > this.scannedTo;
  }

  get following(): Following {
    return this.#following;
  }

  noteCommitted(lastRecordId: number): void {
    this.#committed = Math.max(this.#committed, lastRecordId);
  }

  /** Learn where the spool ends. Nothing is read until somebody looks. */
  async open(): Promise<void> {
    const { storeId, lastRecordId } = await this.#source.position();
    this.storeId = storeId;
    this.noteCommitted(lastRecordId);
    this.scannedTo = this.#committed;
  }

  /** From now on nobody looks. What was read stays; `advance` begins anew. */
  rest(): void {
    this.#following = "nothing";
  }

  /** Read on for those who look now. Rejects as the source does; the next call tries the same records again. */
  async advance(wanted: Following): Promise<TailStep> {
    if (wanted === "nothing") {
      this.rest();
      return NO_NEWS;
    }
    if (this.#following === wanted || (this.#following === "events" && wanted === "latest")) {
      this.#following = wanted;
      if (wanted === "events") return this.pending ? this.#step("events") : NO_NEWS;
      await this.#catchUp("latest");
      return NO_NEWS;
    }
    await this.#begin(wanted);
    this.#following = wanted;
    return NO_NEWS;
  }

  /** Somebody asks once for the newest values: bring them up to date. Rejects as the source does. */
  async look(): Promise<void> {
    if (!this.pending) return;
    if (this.#following === "nothing") await this.#begin("latest");
    else if (this.#following === "latest") await this.#catchUp("latest");
  }

  /** After a time in which nothing was read: the last records, and for values older than those the history. */
  async #begin(shape: LiveShape): Promise<void> {
    const { replayEventsMax } = this.#limits;
    if (this.#isNew || this.#committed - this.scannedTo > replayEventsMax) await this.#askHistory();
    this.#restartAt(Math.max(0, this.#committed - replayEventsMax));
    await this.#catchUp(shape);
    this.#isNew = false;
  }

  async #askHistory(): Promise<void> {
    for (const known of (await this.#source.latest?.()) ?? []) {
      this.latest.note(known.device, known.readings, 0, Number.MAX_SAFE_INTEGER);
    }
  }

  /** A slice may be cut short by its time limit; a few of them reach the end. */
  async #catchUp(shape: LiveShape): Promise<void> {
    for (let reads = 0; reads < READS_BEHIND_MAX && this.#isBehind(); reads++) await this.#step(shape);
  }

  #isBehind(): boolean {
    return this.#more || this.#committed > this.scannedTo;
  }

  async #step(shape: LiveShape): Promise<TailStep> {
    const jumped = this.#jumpWhenFarBehind();
    const committed = this.#committed;
    const slice = await this.#source.read(this.scannedTo, this.#limits.rowsPerTickMax, shape);
    // Records the source deleted before they were read: the ring must not promise them.
    if (slice.missed) this.#restartAt((slice.texts[0]?.id ?? slice.scannedToId + 1) - 1);
    for (const event of slice.newest) this.#note(event);
    const events = slice.texts;
    this.ring.push(events);
    this.#more = slice.more;
    // A slice without more saw everything that was committed when it was asked for, whatever its last row was.
    this.scannedTo = Math.max(this.scannedTo, slice.scannedToId, slice.more ? 0 : committed);
    if (shape === "latest") this.ring.restart(this.scannedTo);
    return { events, conflated: jumped || slice.missed };
  }

  #note(event: LiveEvent): void {
    if (event.readings === undefined) return;
    const refused = this.latest.refusedCount;
    this.latest.note(event.device, event.readings, event.id, event.receivedUnixMs);
    this.#refused.add(this.latest.refusedCount - refused);
  }

  #jumpWhenFarBehind(): boolean {
    const behind = this.#committed - this.scannedTo;
    if (behind <= this.#limits.rowsPerTickMax * READS_BEHIND_MAX) return false;
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
