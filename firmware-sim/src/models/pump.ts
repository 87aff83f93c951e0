/** A water pump: the flow builds up when it is switched on and stops at once. Pure. */
import { smoothNoise } from "./noise.js";

const FULL_LITRES_PER_MIN = 12;
const BUILD_UP_MS = 2_500;
const RIPPLE = { lane: 31, periodMs: 4_000, share: 0.04 };

/** Flow in litres per minute. @param onSinceUnixMs when it was switched on; null: it is off */
export function flowLitresPerMin(seed: number, unixMs: number, onSinceUnixMs: number | null): number {
  if (onSinceUnixMs === null) return 0;
  const builtUp = 1 - Math.exp(-Math.max(0, unixMs - onSinceUnixMs) / BUILD_UP_MS);
  const ripple = 1 + smoothNoise(seed, RIPPLE.lane, unixMs, RIPPLE.periodMs) * RIPPLE.share;
  return FULL_LITRES_PER_MIN * builtUp * ripple;
}
