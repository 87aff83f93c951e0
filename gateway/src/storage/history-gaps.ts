/**
 * Where a line between two readings would be a lie: the time between them is far longer than usual there.
 *
 *   the intervals around a place, sorted    ├── a quarter ──┤ q1 ├── half ──┤ q3 ├── a quarter ──┤
 *   usual there = q3, if q3 ≤ 2 · q1; else there is no usual interval, and no gap
 *
 *   |  |  |  |  |            |  |  |  |      a gap: far more than 2.5 usual intervals
 *   |      |   |        |  |       |         none: this signal comes when it likes
 *
 * Quarters and not the median, so that a signal that is sent on change keeps its line; around the place and not over
 * everything, so that a device whose rate was changed is judged by each rate in its own time.
 */

/** An interval longer than this many usual ones is a gap. */
export const GAP_FACTOR = 2.5;

/** Intervals looked at on each side. */
const AROUND = 8;

/** With fewer intervals around nothing can be called usual. */
const AROUND_MIN = 4;

/** A signal whose middle half of intervals differs by more than this has no usual interval. */
const SPREAD_MAX = 2;

/**
 * @param times of readings or of buckets with readings, rising.
 * @param index the interval between `times[index − 1]` and `times[index]` is judged.
 */
export function isGap(times: readonly number[], index: number): boolean {
  const interval = intervalAt(times, index);
  const around: number[] = [];
  let shorter = 0;
  const last = Math.min(times.length - 1, index + AROUND);
  for (let i = Math.max(1, index - AROUND); i <= last; i++) {
    const other = intervalAt(times, i);
    if (i === index || other === 0) continue; // readings of one instant say nothing about the rate
    around.push(other);
    if (other * GAP_FACTOR < interval) shorter += 1;
  }
  // Most intervals are no gaps: they are not sorted for that.
  if (around.length < AROUND_MIN || shorter < around.length / 2) return false;
  around.sort((a, b) => a - b);
  const q1 = around[Math.floor((around.length - 1) / 4)] ?? 0;
  const q3 = around[Math.floor(((around.length - 1) * 3) / 4)] ?? 0;
  return q3 <= SPREAD_MAX * q1 && interval > GAP_FACTOR * q3;
}

function intervalAt(times: readonly number[], index: number): number {
  return (times[index] ?? 0) - (times[index - 1] ?? 0);
}
