/**
 * A door: in every slot of three minutes it may open once for a while, by day more often than by night. Pure.
 *
 *   slot │····▁▁▁▁████▁▁▁▁▁····│    opens at a hashed place, stays open 5 … 40 s, is closed again before the slot ends
 */
import { hashUnit } from "../random.js";

const SLOT_MS = 180_000;
const OPEN_MS_MIN = 5_000;
const OPEN_MS_MAX = 40_000;
const DAY_HOURS = { from: 6, to: 20 };
const OPENS_SHARE = { day: 0.6, night: 0.1 };
const LANE = { whether: 11, when: 12, howLong: 13 };
const HOUR_MS = 3_600_000;

/** Whether the door stands open at this instant. */
export function isDoorOpen(seed: number, unixMs: number): boolean {
  const slot = Math.floor(unixMs / SLOT_MS);
  const hour = Math.floor((slot * SLOT_MS) / HOUR_MS) % 24;
  const isDay = hour >= DAY_HOURS.from && hour < DAY_HOURS.to;
  if (hashUnit(seed, LANE.whether, slot) >= (isDay ? OPENS_SHARE.day : OPENS_SHARE.night)) return false;
  const openMs = OPEN_MS_MIN + hashUnit(seed, LANE.howLong, slot) * (OPEN_MS_MAX - OPEN_MS_MIN);
  const opensAtMs = hashUnit(seed, LANE.when, slot) * (SLOT_MS - OPEN_MS_MAX);
  const intoSlotMs = unixMs - slot * SLOT_MS;
  return intoSlotMs >= opensAtMs && intoSlotMs < opensAtMs + openMs;
}
