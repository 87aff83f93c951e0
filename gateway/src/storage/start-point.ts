/**
 * Where a new sink begins when it is told a time: found by halving, because times rise with ids wherever the wall
 * clock did not jump. Where it did, the sink begins at one of the places that fit; nothing is lost by it that the
 * setting did not ask to leave out.
 */

/** What is stored, as far as the search needs it. */
export interface StoredTimes {
  readonly oldestId: number;
  readonly lastId: number;
  /** The first record behind an id; null: none. */
  firstAfter(id: number): { readonly id: number; readonly receivedUnixMs: number } | null;
}

/** @returns the cursor behind which the records lie that came at `unixMs` or later. */
export function cursorBefore(unixMs: number, stored: StoredTimes): number {
  let low = stored.oldestId - 1;
  let high = stored.lastId;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const next = stored.firstAfter(middle);
    if (next === null || next.receivedUnixMs >= unixMs) high = middle;
    else low = next.id;
  }
  return low;
}
