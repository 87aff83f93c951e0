/**
 * Where a line between two readings would be a lie: the time between them is far longer than usual there.
 *
 *   usual at a place = what three quarters of the intervals around it do not exceed
 *
 *   |  |  |  |  |            |  |  |  |      a gap: 2.5 times the usual interval is far exceeded
 *   |      |   |        |  |       |         none: this signal comes when it likes
 *
 * Three quarters and not the median, so that a signal that is sent on change keeps its line; around the place and not
 * over everything, so that a device whose rate was changed is judged by each rate in its own time.
 */

/** An interval longer than this many usual ones is a gap. */
export const GAP_FACTOR = 2.5;

/** Intervals looked at on each side. */
const AROUND = 8;

/** With fewer intervals around nothing can be called usual. */
const AROUND_MIN = 4;

/** How many of the intervals around must be that much shorter. */
const SHARE = 0.75;

/**
 * @param times of readings or of buckets with readings, rising.
 * @param index the interval between `times[index − 1]` and `times[index]` is judged.
 */
export function isGap(times: readonly number[], index: number): boolean {
  const interval = intervalAt(times, index);
  const first = Math.max(1, index - AROUND);
  const last = Math.min(times.length - 1, index + AROUND);
  const around = last - first;
  if (around < AROUND_MIN) return false;
  let shorter = 0;
  for (let i = first; i <= last; i++) {
    if (i !== index && intervalAt(times, i) * GAP_FACTOR < interval) shorter += 1;
  }
  return shorter >= SHARE * around;
}

function intervalAt(times: readonly number[], index: number): number {
  return (times[index] ?? 0) - (times[index - 1] ?? 0);
}
