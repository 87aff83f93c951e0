/**
 * When the engine writes cursors and deletes what was taken, and when it does the rest of its housework.
 *
 *   no interval      chores with every transaction, housework at every tick: what has nothing to do writes nothing
 *   an interval      chores at most that often; they wait a little for a batch that carries them, because a commit of
 *                    their own is dear on a card; housework every half minute
 */

/** Chores that are due wait so long for a batch. */
const CARRIED_MS = 2_000;

/** So often is done what no batch carries: skipping for a sink that holds too much, old commands, the meter. */
const HOUSE_WORK_MS = 30_000;

/** One per engine. All times are monotonic ms. */
export class Chores {
  readonly #intervalMs: number;
  #doneMonoMs = Number.NEGATIVE_INFINITY;
  #houseWorkMonoMs: number;

  /** @param intervalMs 0: none. */
  constructor(intervalMs: number, nowMonoMs: number) {
    this.#intervalMs = intervalMs;
    this.#houseWorkMonoMs = nowMonoMs;
  }

  /** May a transaction carry them? */
  areDue(nowMonoMs: number): boolean {
    return nowMonoMs - this.#doneMonoMs >= this.#intervalMs;
  }

  /** A transaction that carried them is on disk. */
  done(nowMonoMs: number): void {
    this.#doneMonoMs = nowMonoMs;
  }

  /** Is it time for a transaction without a batch? */
  isHouseWorkDue(nowMonoMs: number): boolean {
    if (this.#intervalMs === 0) return true;
    const isCarried = nowMonoMs - this.#doneMonoMs < this.#intervalMs + CARRIED_MS;
    return !isCarried || nowMonoMs - this.#houseWorkMonoMs >= HOUSE_WORK_MS;
  }

  houseWorkBegins(nowMonoMs: number): void {
    this.#houseWorkMonoMs = nowMonoMs;
  }
}
