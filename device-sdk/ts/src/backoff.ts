/**
 * How long to wait before the next attempt [P-21]. Pure; chance is passed in.
 *
 * Full jitter: anything between nothing and a bound that doubles with each failure, so that a thousand devices that
 * lost their gateway in the same instant come back evenly spread and not in waves.
 */
export interface BackoffLimits {
  /** Bound of the first wait, in ms. */
  readonly baseMs: number;
  /** Bound of the longest wait, in ms. */
  readonly capMs: number;
}

/** 2^31 times any base is past every cap; more would leave exact integers. */
const DOUBLINGS_MAX = 31;

/** Longest `retry_after_ms` that is obeyed: a day. A wrong number must not silence a device for good. */
export const RETRY_AFTER_MS_MAX = 86_400_000;

/**
 * The wait before the next attempt, in ms.
 *
 * @param failures failed attempts in a row before this wait; 0 for the first
 * @param retryAfterMs what the gateway asked for; 0: nothing. The wait is never shorter, and is spread above it.
 * @param unit chance, in [0, 1)
 */
export function backoffMs(failures: number, retryAfterMs: number, unit: number, limits: BackoffLimits): number {
  const bound = Math.min(limits.capMs, limits.baseMs * 2 ** Math.min(failures, DOUBLINGS_MAX));
  return Math.floor(Math.min(Math.max(0, retryAfterMs), RETRY_AFTER_MS_MAX) + unit * bound);
}

/** The wait before a refused device looks again, in ms: between half and all of `recheckMs`. */
export function recheckWaitMs(recheckMs: number, unit: number): number {
  return Math.floor(recheckMs * (0.5 + unit / 2));
}
