/**
 * Admission control: how many links may open, and when the others should come back.
 *
 * After a restart ten thousand devices return within seconds, and each TLS handshake and Hello costs CPU and a
 * transaction. Links above the rate are sent away with a delay that spreads them over the time the queue needs, so
 * that those who are in get their answers quickly and nobody is refused twice for nothing.
 */
import { TokenBucket } from "../core/token-bucket.js";

export interface AdmissionLimits {
  readonly linkCountMax: number;
  /** Links that have not said Hello yet. */
  readonly greetingCountMax: number;
  readonly perSecond: number;
}

/** A refused device waits between these, plus its own jitter. */
const COME_BACK_MS_MIN = 1000;
const COME_BACK_MS_MAX = 30_000;
/** Links above the limit come back later than those above the rate: places free up slowly. */
const FULL_COME_BACK_MS = 10_000;

/** Decides for each new link; times are monotonic ms. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #bucket: TokenBucket;
  /** Refusals in the current second: the longer the crowd, the wider it is spread. */
  #refusedCount = 0;
  #secondMonoMs = 0;

  constructor(limits: AdmissionLimits, nowMonoMs: number) {
    this.#limits = limits;
    this.#bucket = new TokenBucket(limits.perSecond, limits.perSecond, nowMonoMs);
  }

  /**
   * @param unit uniform in [0, 1), for the spread.
   * @returns null: let it in. Else ms after which it should come back.
   */
  judge(counts: { links: number; greeting: number }, nowMonoMs: number, unit: number): number | null {
    if (counts.links >= this.#limits.linkCountMax) return FULL_COME_BACK_MS * (0.5 + unit);
    const crowded = counts.greeting >= this.#limits.greetingCountMax;
    if (!crowded && this.#bucket.tryTake(nowMonoMs)) return null;
    if (nowMonoMs - this.#secondMonoMs > COME_BACK_MS_MIN) {
      this.#secondMonoMs = nowMonoMs;
      this.#refusedCount = 0;
    }
    this.#refusedCount += 1;
    const spreadMs = Math.min(
      COME_BACK_MS_MAX,
      COME_BACK_MS_MIN + (this.#refusedCount / this.#limits.perSecond) * 2000,
    );
    return COME_BACK_MS_MIN + unit * spreadMs;
  }
}
