/** Saves a sink's cursor lazily: at most so many ms and so many records behind. A crash repeats what was not saved. */
import type { Clock } from "../core/clock.js";

export interface CursorSaverLimits {
  readonly cursorSaveMs: number;
  readonly cursorSaveRecords: number;
}

/** One per sink; bounds what a crash makes the sink see twice. */
export class CursorSaver {
  #pendingId: number | null = null;
  #unsavedMoves = 0;
  #cancel: (() => void) | null = null;
  readonly #clock: Clock;
  readonly #limits: CursorSaverLimits;
  readonly #save: (recordId: number) => void;

  constructor(clock: Clock, limits: CursorSaverLimits, save: (recordId: number) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#save = save;
  }

  /** The cursor moved to `recordId`. */
  moved(recordId: number): void {
    this.#pendingId = recordId;
    this.#unsavedMoves += 1;
    if (this.#unsavedMoves >= this.#limits.cursorSaveRecords) this.flush();
    else this.#cancel ??= this.#clock.after(this.#limits.cursorSaveMs, () => this.flush());
  }

  /** Save now what was not saved, and leave no timer. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#unsavedMoves = 0;
    if (this.#pendingId === null) return;
    this.#save(this.#pendingId);
    this.#pendingId = null;
  }
}
