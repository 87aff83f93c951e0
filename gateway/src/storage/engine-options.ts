/**
 * What the engine is made with, and the small shapes that go in and out of it.
 */
import type { Clock } from "../core/clock.js";
import type { Random } from "../core/random.js";
import type { CommandLimits, CommandStep } from "../spool/command-book.js";
import type { DiskFree } from "./space.js";
import type { WriteFault } from "./spool-tables.js";

export interface EngineOptions {
  readonly quotaBytes: number;
  readonly whenFull: "block" | "drop-oldest";
  /** How many of a stream's last numbers are compared with repeats; the largest window that is given out. */
  readonly windowDigests: number;
  /** The history keeps a cursor of its own. */
  readonly keepsHistory: boolean;
  /** This boot of the machine: command deadlines are monotonic times of it. */
  readonly bootId: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly step: CommandStep;
  /** Newest records kept for viewers that reconnect. */
  readonly liveRowsKept?: number;
  readonly commandLimits?: CommandLimits;
  /**
   * Cursors are written and records deleted at most this often, so that commits touch fewer pages of a card; 0: with
   * every transaction. After a power cut sinks see what they took since then again.
   */
  readonly choreIntervalMs?: number;
  /** A test makes the k-th write fail. */
  readonly fault?: WriteFault;
  /** A test says how much the disk has left. */
  readonly diskFree?: DiskFree;
}

/** Small facts that wait for the next transaction; lost in a crash. */
export interface Notes {
  readonly cursors: readonly (readonly [sink: string, recordId: number])[];
  readonly boots: readonly (readonly [deviceKey: number, bootNonce: number, offsetUnixMs: number])[];
  readonly audit: readonly (readonly [actor: string, action: string, subject: string])[];
}

/** What a turn of the housekeeping found. */
export interface TickOutcome {
  /** There is more to do at once. */
  readonly more: boolean;
  /** Intake was refused and may go on. */
  readonly hasSpace: boolean;
}
