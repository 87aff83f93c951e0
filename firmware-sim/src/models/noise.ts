/** Smooth noise over time: what it is at an instant does not depend on when it was asked before. Pure. */
import { hashUnit } from "../random.js";

/**
 * Value noise in [−1, 1]: random heights at every multiple of `periodMs`, joined smoothly.
 *
 * @param lane keeps several noises of one seed apart
 */
export function smoothNoise(seed: number, lane: number, unixMs: number, periodMs: number): number {
  const place = unixMs / periodMs;
  const index = Math.floor(place);
  const share = place - index;
  const eased = share * share * (3 - 2 * share);
  const before = hashUnit(seed, lane, index);
  const after = hashUnit(seed, lane, index + 1);
  return (before + (after - before) * eased) * 2 - 1;
}
