/**
 * What leaves history.db: by age, and when it is over its quota. The finer a level the sooner it goes, so that old
 * times stay visible, only less sharp.
 *
 *   age     0 ──────────── keep ───────────── 12 · keep ─────────────── 250 · keep
 *           raw            │ minutes          │ hours                    │ nothing
 *   quota   a level over its share loses its oldest slot, the coarse ones first; else raw does
 *
 * With `keep: 7d` every reading is there for a week, minutes for 12 weeks, hours for nearly five years.
 */
import type { Clock } from "../core/clock.js";
import { HOUR_MS, type Level, SLOT_MS, slotOf } from "./history-levels.js";
import type { SignalBook } from "./history-signals.js";
import type { HistoryTables, Progress } from "./history-tables.js";

/** How many times as long as readings the figures stay. */
export const KEEP_FACTOR: Readonly<Record<Level, number>> = { raw: 1, minutes: 12, hours: 250 };

/** The part of the quota above which a level has to give before raw does. */
const QUOTA_SHARE: Readonly<Record<Level, number>> = { raw: 0, minutes: 1 / 4, hours: 1 / 8 };

const LEVELS: readonly Level[] = ["raw", "minutes", "hours"];

/** Slots dropped for the quota in one go. */
const DROPS_MAX = 1_000;

/** Wall time may drift by this against monotonic time before age is not believed. */
const DRIFT_MS_MAX = HOUR_MS;

export interface ThinningOptions {
  /** How long every reading stays, in ms. */
  readonly keepMs: number;
  /** Bytes that the used pages may take. */
  readonly quotaBytes: number;
  readonly clock: Clock;
}

/** Runs behind each packing, one slot in each step. */
export class HistoryThinning {
  readonly #tables: HistoryTables;
  readonly #signals: SignalBook;
  readonly #options: ThinningOptions;
  #wallOffsetMs: number;

  constructor(tables: HistoryTables, signals: SignalBook, options: ThinningOptions) {
    this.#tables = tables;
    this.#signals = signals;
    this.#options = options;
    this.#wallOffsetMs = options.clock.unixMs() - options.clock.monoMs();
  }

  /**
   * Drop what is too old and what is too much: each slot is a step, in a transaction of its own. `progress` is kept up.
   * Take a step only when everything taken is on disk, because the progress is written with each.
   */
  *steps(progress: Progress): Generator<void, void> {
    const { clock, keepMs, quotaBytes } = this.#options;
    const nowUnixMs = clock.unixMs();
    if (this.#isClockSteady()) {
      for (const level of LEVELS) {
        const end = slotOf(level, nowUnixMs - keepMs * KEEP_FACTOR[level]);
        for (let first = this.#firstBefore(level, end); first !== null; first = this.#firstBefore(level, end)) {
          this.#drop(progress, level, first + 1);
          yield;
        }
      }
      this.#forgetSignals(nowUnixMs - keepMs * KEEP_FACTOR.hours);
    }
    for (let drops = 0; drops < DROPS_MAX && this.#tables.usedBytes() > quotaBytes; drops++) {
      const level = this.#levelToThin(progress);
      const slots = level === null ? null : this.#tables.slots(level);
      if (level === null || slots === null) return;
      this.#drop(progress, level, slots.first + 1);
      yield;
    }
  }

  /** The first slot that holds anything, when it lies before `end`. */
  #firstBefore(level: Level, end: number): number | null {
    const first = this.#tables.slots(level)?.first;
    return first === undefined || first >= end ? null : first;
  }

  /**
   * A clock that jumped ahead must not empty the history: what counts as old is believed when wall time has gone along
   * with monotonic time since the run before, or since the start.
   */
  #isClockSteady(): boolean {
    const offsetMs = this.#options.clock.unixMs() - this.#options.clock.monoMs();
    const before = this.#wallOffsetMs;
    this.#wallOffsetMs = offsetMs;
    return Math.abs(offsetMs - before) <= DRIFT_MS_MAX;
  }

  #levelToThin(progress: Progress): Level | null {
    const { bytes } = progress;
    const isOverShare = (level: Level): boolean => bytes[level] > this.#options.quotaBytes * QUOTA_SHARE[level];
    if (isOverShare("hours")) return "hours";
    if (isOverShare("minutes")) return "minutes";
    return LEVELS.find((level) => bytes[level] > 0) ?? null;
  }

  /** Drop everything of a level before a slot. */
  #drop(progress: Progress, level: Level, slot: number): void {
    const before = { fromUnixMs: { ...progress.fromUnixMs }, bytes: { ...progress.bytes } };
    try {
      this.#tables.transaction(() => {
        progress.bytes[level] = Math.max(0, progress.bytes[level] - this.#tables.dropBefore(level, slot));
        progress.fromUnixMs[level] = Math.max(progress.fromUnixMs[level], slot * SLOT_MS[level]);
        this.#tables.putProgress(progress);
      });
    } catch (thrown) {
      Object.assign(progress.fromUnixMs, before.fromUnixMs);
      Object.assign(progress.bytes, before.bytes);
      throw thrown;
    }
  }

  #forgetSignals(beforeUnixMs: number): void {
    const gone = [...this.#signals.all()].filter(
      ({ last, t }) => t.length === 0 && last !== null && last.t < beforeUnixMs,
    );
    if (gone.length === 0) return;
    this.#tables.transaction(() => {
      for (const { id } of gone) this.#tables.dropSignal(id);
    });
    for (const signal of gone) this.#signals.drop(signal);
  }
}
