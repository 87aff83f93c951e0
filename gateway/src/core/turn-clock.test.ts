/** A clock that is read once a turn. */
import { expect, it } from "vitest";
import { ManualClock } from "./testing/manual-clock.js";
import { TurnClock } from "./turn-clock.js";

it("stands still within a turn, and both readings are of one instant", () => {
  const clock = new ManualClock();
  const turn = new TurnClock(clock);
  const [mono, unix] = [turn.monoMs(), turn.unixMs()];
  expect([mono, unix]).toEqual([clock.monoMs(), clock.unixMs()]);
  clock.jumpUnix(1000);
  expect([turn.monoMs(), turn.unixMs()]).toEqual([mono, unix]);
});

it("knows the time again in the next turn, and leaves no timer behind", () => {
  const clock = new ManualClock();
  const turn = new TurnClock(clock);
  turn.unixMs();
  clock.advance(5);
  expect(clock.pending).toBe(0);
  expect(turn.monoMs()).toBe(clock.monoMs());
});
