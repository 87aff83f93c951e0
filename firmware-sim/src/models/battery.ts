/** A battery: it empties slowly over weeks, and somebody brings a new one before it is flat. Pure. */
import { hashUnit } from "../random.js";

const DAY_MS = 86_400_000;
const LIFE_DAYS_MIN = 40;
const LIFE_DAYS_MAX = 120;
/** At this level it is replaced. */
const REPLACED_AT_PERCENT = 12;
const LANE = { life: 21, age: 22 };

/** Charge in %, from 100 down to where it is replaced. Every seed has its own life time and its own age. */
export function batteryPercent(seed: number, unixMs: number): number {
  const lifeMs = (LIFE_DAYS_MIN + hashUnit(seed, LANE.life, 0) * (LIFE_DAYS_MAX - LIFE_DAYS_MIN)) * DAY_MS;
  const ageMs = unixMs + hashUnit(seed, LANE.age, 0) * lifeMs;
  const used = (((ageMs % lifeMs) + lifeMs) % lifeMs) / lifeMs;
  return 100 - used * (100 - REPLACED_AT_PERCENT);
}
