/**
 * Full-jitter exponential backoff, pure: the attempt and a random number in, milliseconds out.
 *
 * The delay is uniform in [0, min(cap, base · 2^attempt)], so that a crowd that was cut off together does not come
 * back together (M. Brooker, "Exponential Backoff and Jitter", 2015).
 */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * @param attempt how many tries have failed since the last stable success; 0 for the first.
 * @param unit uniform in [0, 1).
 * @returns milliseconds to wait, 0 … capMs.
 */
export function fullJitterMs(attempt: number, unit: number, limits: BackoffLimits): number {
  const exponent = Math.min(Math.max(0, attempt), 30); // 2^30 s is past every cap; keeps the power finite
  const ceilingMs = Math.min(limits.capMs, limits.baseMs * 2 ** exponent);
  return Math.floor(unit * (ceilingMs + 1));
}
