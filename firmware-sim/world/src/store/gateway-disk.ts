/**
 * The gateway's disk: how long a transaction takes, whether it is refused, and whether it kills. The tables on it
 * outlive every process of the gateway.
 *
 *   healthy ──▶ slow · full (batches of records are refused) · busy (refused for a moment) · broken (fsync fails: the
 *               process must end; whether the transaction is there afterwards nobody knows)
 */
import type { Seeded } from "../seeded.js";
import type { Timeline } from "../timeline.js";
import { DiskTables } from "./disk-tables.js";

export type Fate = "ok" | "full" | "busy" | "broken";

/** Thrown by a write that does not succeed, in the middle of a transaction. */
export class DiskRefusal extends Error {
  readonly fate: "full" | "busy";

  constructor(fate: "full" | "busy") {
    super(`the disk is ${fate}`);
    this.fate = fate;
  }
}

export interface DiskProfile {
  readonly commitMsMin: number;
  readonly commitMsMax: number;
  /** Chance that one transaction meets a busy file, and that its fsync fails. */
  readonly busy: number;
  readonly broken: number;
}

/** Writes of one transaction that may pass before a refusal comes. */
const WRITES_BEFORE_REFUSAL_MAX = 12;

/** One per world. Times in ms of the timeline. */
export class GatewayDisk {
  tables = new DiskTables();
  readonly #timeline: Timeline;
  readonly #random: Seeded;
  readonly #profile: DiskProfile;
  #fullUntilMs = 0;
  #slowUntilMs = 0;
  #slowMs = 0;
  isCalm = false;

  constructor(timeline: Timeline, random: Seeded, profile: DiskProfile) {
    this.#timeline = timeline;
    this.#random = random;
    this.#profile = profile;
  }

  fill(forMs: number): void {
    this.#fullUntilMs = this.#timeline.nowMs + forMs;
  }

  slow(forMs: number, commitMs: number): void {
    this.#slowUntilMs = this.#timeline.nowMs + forMs;
    this.#slowMs = commitMs;
  }

  calm(): void {
    this.isCalm = true;
    this.#fullUntilMs = 0;
    this.#slowUntilMs = 0;
  }

  get isFull(): boolean {
    return this.#timeline.nowMs < this.#fullUntilMs;
  }

  /** How long the next transaction takes, in ms. */
  commitMs(): number {
    const base = this.#random.spread(this.#profile.commitMsMin, this.#profile.commitMsMax);
    return this.#timeline.nowMs < this.#slowUntilMs ? base + this.#random.unit() * this.#slowMs : base;
  }

  /** @param bringsRecords small transactions use the reserve and find room on a full disk. */
  fate(bringsRecords: boolean): Fate {
    if (this.isFull && bringsRecords) return "full";
    if (this.isCalm) return "ok";
    if (this.#random.chance(this.#profile.busy)) return "busy";
    return this.#random.chance(this.#profile.broken) ? "broken" : "ok";
  }

  /** Let some writes of this transaction pass, then refuse. */
  refuseSoon(fate: "full" | "busy"): void {
    let left = this.#random.between(0, WRITES_BEFORE_REFUSAL_MAX);
    this.tables.fault = () => {
      left -= 1;
      if (left < 0) throw new DiskRefusal(fate);
    };
  }

  /** How many writes of a transaction pass before a fault comes: 0 … max. */
  writesBefore(max: number): number {
    return this.#random.between(0, max);
  }

  refuseNothing(): void {
    this.tables.fault = () => {};
  }

  /** Was a transaction on its way when the process died there afterwards? */
  survives(): boolean {
    return this.#random.chance(0.5);
  }
}
