/** Finding the one record a broker dies of, on a broker that takes the acks of all the others along. */
import { describe, expect, it } from "vitest";
import { PoisonWatch } from "./poison-watch.js";

/** A backlog in which one record is poison. @returns in how many sessions it was found, and what had been taken. */
function sessionsUntilFound(poisonAt: number, window: number): { sessions: number; taken: number } {
  const watch = new PoisonWatch();
  let taken = 0;
  for (let sessions = 1; sessions < 10_000; sessions++) {
    const inFlight = (): number => Math.min(window, watch.windowMax);
    // One at a time each ack comes before the next is sent; otherwise they are lost when the broker hangs up.
    while (inFlight() === 1 && taken < poisonAt) {
      taken += 1;
      watch.progressed();
    }
    while (taken + inFlight() <= poisonAt) {
      taken += 1;
      watch.progressed();
    }
    if (watch.hungUp(inFlight())) return { sessions, taken };
  }
  return { sessions: Number.POSITIVE_INFINITY, taken };
}

describe("the watch for poison", () => {
  it("finds it in a few sessions, wherever in the window it lies", () => {
    for (const poisonAt of [0, 1, 7, 99, 100, 250]) {
      expect(sessionsUntilFound(poisonAt, 100)).toEqual({ sessions: 8, taken: poisonAt });
    }
  });

  it("goes back to a wide window when all that was in flight is through", () => {
    const watch = new PoisonWatch();
    for (let i = 0; i < 3; i++) watch.hungUp(5);
    expect(watch.windowMax).toBe(1);
    for (let i = 0; i < 4; i++) watch.progressed();
    expect(watch.windowMax).toBe(1);
    watch.progressed();
    expect(watch.windowMax).toBe(Number.POSITIVE_INFINITY);
  });

  it("forgets hang-ups that were followed by progress before there was suspicion", () => {
    const watch = new PoisonWatch();
    for (let i = 0; i < 50; i++) {
      watch.hungUp(5);
      watch.hungUp(5);
      watch.progressed();
    }
    expect(watch.windowMax).toBe(Number.POSITIVE_INFINITY);
  });
});
