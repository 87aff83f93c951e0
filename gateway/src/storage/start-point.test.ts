/** Where a sink begins that is told a time. */
import { describe, expect, it } from "vitest";
import { cursorBefore, type StoredTimes } from "./start-point.js";

/** Records with these ids, received at ten times their id. */
const storedIds = (...ids: number[]): StoredTimes => ({
  oldestId: ids[0] ?? 1,
  lastId: ids.at(-1) ?? 0,
  firstAfter: (after) => {
    const id = ids.find((known) => known > after);
    return id === undefined ? null : { id, receivedUnixMs: id * 10 };
  },
});

describe("a sink that starts at a time", () => {
  const stored = storedIds(5, 6, 7, 10, 11, 20);

  it.each([
    [0, 5],
    [50, 5],
    [51, 6],
    [71, 10],
    [100, 10],
    [111, 20],
    [200, 20],
  ])("at %i begins with record %i", (unixMs, first) => {
    expect(stored.firstAfter(cursorBefore(unixMs, stored))?.id).toBe(first);
  });

  it("begins with what comes next when everything is older, and also in an empty spool", () => {
    expect(cursorBefore(201, stored)).toBe(20);
    expect(cursorBefore(1, storedIds())).toBe(0);
  });
});
