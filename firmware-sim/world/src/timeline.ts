/**
 * Simulated time: events in order of their instant, and of their making within one instant. Between two events every
 * promise of the code under test settles, so that the order of everything follows from the seed.
 *
 *   after(ms, fn) ──▶ heap by (atMs, order) ──one event──▶ promises settle ──one event──▶ …
 */
import { nextTurn } from "./clock.js";

interface Event {
  readonly atMs: number;
  readonly order: number;
  fn: (() => void) | null;
}

/** Turns asked of the event loop at once: fewer polls of the system, the same order. */
const TURNS_AHEAD = 64;

/** More events than any sound run has: a loop without time passing ends here. */
const EVENTS_MAX = 1_500_000;

/** A wait that is lost in the rounding of sums of milliseconds would come at the instant it was asked for, for ever. */
const WAIT_MS_MIN = 0.001;

const before = (a: Event, b: Event): boolean => (a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs);

/** One per world; milliseconds from 0. */
export class Timeline {
  nowMs = 0;
  /** Events run so far. */
  eventCount = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  /** Call `fn` once. @returns the way to cancel it. */
  after(afterMs: number, fn: () => void): () => void {
    const waitMs = afterMs > 0 ? Math.max(afterMs, WAIT_MS_MIN) : 0;
    const event: Event = { atMs: this.nowMs + waitMs, order: this.#order++, fn };
    this.#push(event);
    return () => {
      event.fn = null;
    };
  }

  /** Run what falls due until that instant, or until `isDone` says so (asked after every event). */
  run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      let ahead = 0;
      const end = (): void => {
        isOver = true;
        if (!isDone()) this.nowMs = Math.max(this.nowMs, untilMs);
        resolve();
      };
      const turn = (): void => {
        ahead -= 1;
        if (isOver) return;
        try {
          if (isDone() || !this.#runNext(untilMs)) end();
          else if (ahead === 0) schedule();
        } catch (thrown) {
          isOver = true;
          reject(thrown);
        }
      };
      const schedule = (): void => {
        for (let i = 0; i < TURNS_AHEAD; i++) nextTurn(turn);
        ahead = TURNS_AHEAD;
      };
      schedule();
    });
  }

  /** @returns false when nothing is due by then. */
  #runNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      if (next.fn === null) continue;
      this.nowMs = next.atMs;
      this.eventCount += 1;
      if (this.eventCount > EVENTS_MAX)
        throw new Error(`more than ${EVENTS_MAX} events: something goes round in circles`);
      next.fn();
      return true;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up];
      if (parent === undefined || before(parent, event)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let child = heap[down];
      const right = heap[down + 1];
      if (child !== undefined && right !== undefined && before(right, child)) {
        child = right;
        down += 1;
      }
      if (child === undefined || before(last, child)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
  }
}
