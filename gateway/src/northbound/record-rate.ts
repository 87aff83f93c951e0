/**
 * How many stored records a second may leave: the backlog of a day must not drown what lies behind the broker.
 *
 *   records ──sent──▶ bucket ──used up──▶ closed ──(debt paid)──▶ wake
 *
 * Only what comes from the store is counted: it is what piles up. Statuses, states and watermarks have a pace of their
 * own, and answers to commands do not wait.
 */
import type { Clock } from "../core/clock.js";
import { TokenBucket } from "../core/token-bucket.js";

/** What may leave at once after a rest: a tenth of a second's worth. */
const BURST_S = 0.1;

export interface RecordRateDeps {
  readonly clock: Clock;
  /** A record may leave again. Not called after `detach`, until the rate is used up once more. */
  readonly wake: () => void;
}

/** One per sink. */
export class RecordRate {
  readonly #bucket: TokenBucket | null;
  readonly #deps: RecordRateDeps;
  /** Set while the rate is used up. */
  #cancel: (() => void) | null = null;

  /** @param perSecond records per second; null: as fast as they go. */
  constructor(perSecond: number | null, deps: RecordRateDeps) {
    this.#deps = deps;
    const burst = Math.max(1, (perSecond ?? 0) * BURST_S);
    this.#bucket = perSecond === null ? null : new TokenBucket(perSecond, burst, deps.clock.monoMs());
  }

  /** May a record leave now? */
  get isOpen(): boolean {
    return this.#cancel === null;
  }

  /** One has left. */
  sent(): void {
    if (this.#bucket === null) return;
    const waitMs = this.#bucket.take(this.#deps.clock.monoMs());
    if (waitMs === 0 || this.#cancel !== null) return;
    this.#cancel = this.#deps.clock.after(waitMs, () => {
      this.#cancel = null;
      this.#deps.wake();
    });
  }

  /** The session is gone: no timer stays. The debt does: the next session may send one record before it waits. */
  detach(): void {
    this.#cancel?.();
    this.#cancel = null;
  }
}
