/**
 * The three levels of history.db and how time maps to their blobs. A slot is the stretch of one blob.
 *
 *   level     one entry per    a blob holds     share of the quota
 *   raw       reading          an hour          the rest
 *   minutes   minute           an hour          a quarter
 *   hours     hour             a day            an eighth
 */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export type Level = "raw" | "minutes" | "hours";

/** The levels that hold figures instead of readings. */
export type FigureLevel = Exclude<Level, "raw">;

/** Stretch of one blob, in ms. */
export const SLOT_MS: Readonly<Record<Level, number>> = { raw: HOUR_MS, minutes: HOUR_MS, hours: DAY_MS };

/** Stretch of one bucket, in ms. */
export const WIDTH_MS: Readonly<Record<FigureLevel, number>> = { minutes: MINUTE_MS, hours: HOUR_MS };

/** Signals have ids below this: 20 bits of a key. */
export const SIGNAL_IDS = 2 ** 20;

/** Blobs of one hour and signal: 3 bits of a key. Late readings make a further one; the eighth folds them into one. */
export const PARTS_MAX = 8;

/** Key of a blob; for `raw` that of its first part. */
export function keyOf(level: Level, slot: number, signalId: number): number {
  const key = slot * SIGNAL_IDS + signalId;
  return level === "raw" ? key * PARTS_MAX : key;
}

/** Keys of a slot and everything after it begin here. */
export function firstKey(level: Level, slot: number): number {
  return keyOf(level, slot, 0);
}

/** Slot of a blob's key. */
export function slotOfKey(level: Level, key: number): number {
  return Math.floor(key / (level === "raw" ? SIGNAL_IDS * PARTS_MAX : SIGNAL_IDS));
}

/** Slot of a level that an instant falls in. */
export function slotOf(level: Level, unixMs: number): number {
  return Math.floor(unixMs / SLOT_MS[level]);
}
