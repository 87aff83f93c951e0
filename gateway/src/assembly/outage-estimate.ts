/**
 * "31 hours of outage left": how long the spool can take what comes in while nothing goes out.
 *
 * The rate is the mean over the last 24 hours (or since the start), in buckets of an hour, so that a burst does not
 * make the figure jump.
 */
const HOUR_MS = 3_600_000;
const BUCKETS = 24;
/** A figure from less than this is a guess and is not shown. */
const OBSERVED_MS_MIN = 10_000;

/** Fed with every commit; times are monotonic ms. */
export class OutageEstimate {
  readonly #buckets = new Float64Array(BUCKETS);
  readonly #startedMonoMs: number;
  #hour = 0;

  constructor(nowMonoMs: number) {
    this.#startedMonoMs = nowMonoMs;
  }

  /** Bytes that a commit put on disk. */
  stored(bytes: number, nowMonoMs: number): void {
    this.#turn(nowMonoMs);
    this.#buckets[this.#hour % BUCKETS] = (this.#buckets[this.#hour % BUCKETS] ?? 0) + bytes;
  }

  /** Hours until `freeBytes` are used up; null while too little was seen or nothing comes in. */
  hoursLeft(freeBytes: number, nowMonoMs: number): number | null {
    this.#turn(nowMonoMs);
    const observedMs = Math.min(nowMonoMs - this.#startedMonoMs, (BUCKETS - 1) * HOUR_MS + this.#intoHourMs(nowMonoMs));
    const bytes = this.#buckets.reduce((sum, bucket) => sum + bucket, 0);
    if (observedMs < OBSERVED_MS_MIN || bytes === 0) return null;
    return Math.max(0, freeBytes) / (bytes / (observedMs / HOUR_MS));
  }

  #intoHourMs(nowMonoMs: number): number {
    return (nowMonoMs - this.#startedMonoMs) % HOUR_MS;
  }

  #turn(nowMonoMs: number): void {
    const hour = Math.floor((nowMonoMs - this.#startedMonoMs) / HOUR_MS);
    for (let i = this.#hour + 1; i <= hour && i <= this.#hour + BUCKETS; i++) this.#buckets[i % BUCKETS] = 0;
    this.#hour = Math.max(this.#hour, hour);
  }
}
