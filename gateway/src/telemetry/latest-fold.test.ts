/** What a slice of events comes down to when only the newest values are wanted. */
import { describe, expect, it } from "vitest";
import type { LiveEvent } from "../model/spool.js";
import { LatestFold, replaces } from "./latest-fold.js";

const event = (id: number, device: string, values: Record<string, number>, t = id): LiveEvent => ({
  id,
  device,
  kind: "data",
  receivedUnixMs: id,
  readings: Object.entries(values).map(([signal, v]) => ({ signal, t, v, q: "good" })),
});

function fold(...events: LiveEvent[]): LiveEvent[] {
  const folded = new LatestFold();
  for (const one of events) folded.add(one);
  return folded.events();
}

describe("the newest values of a slice", () => {
  it("are one event per device, with every signal that came, in order of the last records", () => {
    const events = fold(event(1, "b", { x: 1 }), event(2, "a", { y: 2 }), event(3, "b", { z: 3 }));
    expect(events.map(({ id, device }) => [id, device])).toEqual([
      [2, "a"],
      [3, "b"],
    ]);
    expect(events[1]?.readings?.map(({ signal, v }) => [signal, v])).toEqual([
      ["x", 1],
      ["z", 3],
    ]);
  });

  it("do not go back in time when a backlog comes late", () => {
    const [only] = fold(event(1, "a", { x: 1 }, 100), event(2, "a", { x: 2 }, 50));
    expect(only).toMatchObject({ id: 2, readings: [{ signal: "x", v: 1, t: 100 }] });
  });

  it("leave out what has no readings", () => {
    expect(fold({ id: 1, device: "a", kind: "log", receivedUnixMs: 1, detail: "up" })).toEqual([]);
  });

  it("are not overwritten by a backlog drained late, except when the held one is from the future", () => {
    expect(replaces(1000, 999, 1000)).toBe(false);
    expect(replaces(1000, 1000, 1000)).toBe(true);
    expect(replaces(1_000_000, 5000, 6000)).toBe(true);
  });
});
