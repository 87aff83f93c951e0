// How fast something grows: a line through points, by least squares. Pure.

/** A line needs two points; a third one says how well it fits. */
const POINTS_MIN = 3;

/**
 * @param {readonly (readonly [hours: number, value: number])[]} samples
 * @returns {{ perHour: number, error: number }} value per hour, 0 for fewer than two samples; and its standard error,
 *   infinite for fewer than three. The error holds for samples that do not know of each other: take means over longer
 *   than what swings in them.
 */
export function slopePerHour(samples) {
  const count = samples.length;
  if (count < 2) return { perHour: 0, error: Number.POSITIVE_INFINITY };
  const mean = (at) => samples.reduce((sum, sample) => sum + sample[at], 0) / count;
  const [meanHours, meanValue] = [mean(0), mean(1)];
  let covariance = 0;
  let variance = 0;
  for (const [hours, value] of samples) {
    covariance += (hours - meanHours) * (value - meanValue);
    variance += (hours - meanHours) ** 2;
  }
  if (variance === 0) return { perHour: 0, error: Number.POSITIVE_INFINITY };
  const perHour = covariance / variance;
  const off = ([hours, value]) => value - meanValue - perHour * (hours - meanHours);
  const left = samples.reduce((sum, sample) => sum + off(sample) ** 2, 0);
  const error = count < POINTS_MIN ? Number.POSITIVE_INFINITY : Math.sqrt(left / (count - 2) / variance);
  return { perHour, error };
}

/**
 * One mean for each stretch of so many hours: what swings within a stretch is gone.
 * @param {readonly (readonly [hours: number, value: number])[]} samples in the order of time
 * @param {number} hours length of a stretch
 * @returns {(readonly [hours: number, value: number])[]}
 */
export function meansPer(samples, hours) {
  const stretches = new Map();
  for (const sample of samples) {
    const stretch = Math.floor(sample[0] / hours);
    stretches.set(stretch, [...(stretches.get(stretch) ?? []), sample]);
  }
  const mean = (of, at) => of.reduce((sum, sample) => sum + sample[at], 0) / of.length;
  return [...stretches.values()].map((of) => [mean(of, 0), mean(of, 1)]);
}
