// How fast something grows: the slope of a line through points, by least squares. Pure.

/**
 * @param {readonly (readonly [hours: number, value: number])[]} samples
 * @returns {number} value per hour; 0 for fewer than two samples
 */
export function slopePerHour(samples) {
  const count = samples.length;
  if (count < 2) return 0;
  const mean = (at) => samples.reduce((sum, sample) => sum + sample[at], 0) / count;
  const [meanHours, meanValue] = [mean(0), mean(1)];
  let covariance = 0;
  let variance = 0;
  for (const [hours, value] of samples) {
    covariance += (hours - meanHours) * (value - meanValue);
    variance += (hours - meanHours) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}
