/**
 * The outbox on disk: one SQLite file, so that a power cut on the Pi loses at most the last moment.
 *
 *   outbox ──watch──▶ what changed ──every saveIntervalMs──▶ one transaction ──▶ file
 *   a new epoch, numbers that a catalog moved, a command that is about to act, a command's result ─────at once──▶
 *
 * Messages are saved lazily: most are acked before their turn comes and never touch the card. What was not saved in
 * time is part of the old epoch's open end, because after a restart that epoch takes no new numbers [P-9].
 */
import type { Clock } from "./clock.js";
import type { CommandJournal } from "./command-runner.js";
import type { Outbox } from "./outbox.js";
import type { OutboxDisk, SavedState } from "./outbox-file.js";
import type { OutboxWatcher } from "./outbox-types.js";
import type { Entry } from "./seq-queue.js";

/** A card that could not be written is not tried again at once, also where saving is not lazy, in ms. */
const SAVE_RETRY_MS_MIN = 1_000;

/** Keeps an outbox on disk, lazily: what a power cut may cost is one save interval. */
export class OutboxStore implements OutboxWatcher, CommandJournal {
  readonly #file: OutboxDisk;
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #saveIntervalMs: number;
  readonly #onError: (error: unknown) => void;
  /** Which messages the file has. */
  readonly #inFile: Set<number>;
  #unsaved = new Set<Entry>();
  #moved = new Set<Entry>();
  #gone = new Set<number>();
  #finished = new Set<number>();
  #lastCommand: number;
  #savedEpoch: number;
  #cancelTimer: (() => void) | null = null;
  #isClosed = false;
  /** Transactions written, for the wear of the card. */
  saves = 0;

  /**
   * @param saved what `file` had when it was opened, and `outbox` was made of
   * @param onError told of a save that failed; it is tried again after the interval
   */
  constructor(
    { file, saved }: { readonly file: OutboxDisk; readonly saved: SavedState },
    outbox: Outbox,
    clock: Clock,
    { saveIntervalMs, onError }: { readonly saveIntervalMs: number; readonly onError: (error: unknown) => void },
  ) {
    this.#file = file;
    this.#outbox = outbox;
    this.#clock = clock;
    this.#saveIntervalMs = saveIntervalMs;
    this.#onError = onError;
    this.#lastCommand = saved.lastCommand;
    this.#savedEpoch = saved.outbox.current.epoch;
    const { current, next } = saved.outbox;
    this.#inFile = new Set([...current.entries, ...next.entries].map((entry) => entry.ordinal));
    // What waited behind an epoch that was drained is current now: the file must not call it waiting once more, when it
    // has been sent.
    const isCurrent = new Set(outbox.queues.current.entries());
    this.#moved = new Set(next.entries.filter((entry) => isCurrent.has(entry)));
    outbox.watch(this);
  }

  get lastCommand(): number {
    return this.#lastCommand;
  }

  /** On disk before anything is done; throws when the file cannot be written [P-17]. */
  record(id: number): void {
    const lastCommand = Math.max(this.#lastCommand, id);
    this.#file.recordCommand(id, lastCommand);
    this.#lastCommand = lastCommand;
    this.saves++;
  }

  finish(id: number): void {
    this.#lastCommand = Math.max(this.#lastCommand, id);
    this.#finished.add(id);
    this.saveSoonOrTell();
  }

  /**
   * Make sure that the epoch the outbox is under, and the numbers of what the file holds, are on disk; throws when that
   * fails [P-9]. A catalog moves numbers too: saved lazily, a power cut would bring the old ones back under this epoch.
   */
  saveEpoch(): void {
    if (this.#outbox.marks.epoch !== this.#savedEpoch || this.#moved.size > 0) this.save();
  }

  appended(entry: Entry): void {
    this.#unsaved.add(entry);
    this.#arm();
  }

  removed(entry: Entry): void {
    this.#moved.delete(entry);
    // What was acked before its turn never touches the card.
    if (this.#unsaved.delete(entry) || !this.#inFile.has(entry.ordinal)) return;
    this.#gone.add(entry.ordinal);
    this.#arm();
  }

  moved(entry: Entry): void {
    if (!this.#inFile.has(entry.ordinal)) return;
    this.#moved.add(entry);
    this.#arm();
  }

  /** Write what changed, in one transaction; throws when that fails, and keeps everything for the next time. */
  save(): void {
    if (this.#isClosed) return;
    const { current, next } = this.#outbox.queues;
    this.#file.write({
      current,
      next,
      insert: this.#unsaved,
      update: this.#moved,
      remove: this.#gone,
      finishedCommands: this.#finished,
      lastCommand: this.#lastCommand,
    });
    this.#disarm();
    this.saves++;
    this.#savedEpoch = current.epoch;
    for (const entry of this.#unsaved) this.#inFile.add(entry.ordinal);
    for (const ordinal of this.#gone) this.#inFile.delete(ordinal);
    for (const set of [this.#unsaved, this.#moved, this.#gone, this.#finished]) set.clear();
  }

  /** Save now; a failure is told and tried again later. */
  saveSoonOrTell(): void {
    try {
      this.save();
    } catch (error) {
      this.#onError(error);
      this.#arm(Math.max(this.#saveIntervalMs, SAVE_RETRY_MS_MIN));
    }
  }

  /** Save and close the file. Nothing is kept after it. */
  close(): void {
    if (this.#isClosed) return;
    try {
      this.save();
    } catch (error) {
      this.#onError(error);
    }
    this.#disarm();
    this.#isClosed = true;
    this.#file.close();
  }

  #arm(afterMs = this.#saveIntervalMs): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#clock.after(afterMs, () => {
      this.#cancelTimer = null;
      this.saveSoonOrTell();
    });
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}

/** The journal of a device without a file: what it took lives as long as its memory. */
export class MemoryJournal implements CommandJournal {
  lastCommand = 0;

  record(id: number): void {
    this.lastCommand = Math.max(this.lastCommand, id);
  }

  finish(id: number): void {
    this.record(id);
  }
}
