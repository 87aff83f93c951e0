/** The rate at which a sink's records leave. */
import { beforeEach, expect, it } from "vitest";
import { ManualClock } from "../core/testing/manual-clock.js";
import { RecordRate } from "./record-rate.js";

let clock: ManualClock;
let wakes: number;

beforeEach(() => {
  clock = new ManualClock();
  wakes = 0;
});

const wake = (): void => {
  wakes += 1;
};
const rateOf = (perSecond: number | null) => new RecordRate(perSecond, { clock, wake });

/** Sends whenever it may, for so long. @returns how many have left. */
function sentWithin(rate: RecordRate, ms: number): number {
  let count = 0;
  for (let t = 0; t < ms; t++) {
    for (; rate.isOpen && count < 100_000; count++) rate.sent();
    clock.advance(1);
  }
  return count;
}

it.each([1, 10, 100, 2_500])("lets %i records a second leave, and a tenth of a second's worth at once", (perSecond) => {
  const sent = sentWithin(rateOf(perSecond), 10_000);
  expect(sent).toBeGreaterThanOrEqual(perSecond * 10 * 0.98);
  expect(sent).toBeLessThanOrEqual(perSecond * 10.1 + 2);
});

it("says when the next one may leave, once", () => {
  const rate = rateOf(10);
  rate.sent();
  expect(rate.isOpen).toBe(true);
  rate.sent();
  expect(rate.isOpen).toBe(false);
  clock.advance(99);
  expect(wakes).toBe(0);
  clock.advance(1);
  expect([rate.isOpen, wakes]).toEqual([true, 1]);
});

it("is always open when no rate is set, and keeps no timer", () => {
  const rate = rateOf(null);
  for (let i = 0; i < 1_000; i++) rate.sent();
  expect([rate.isOpen, clock.pending]).toEqual([true, 0]);
});

it("leaves no timer behind when the session is gone", () => {
  const rate = rateOf(1);
  rate.sent();
  rate.sent();
  rate.detach();
  expect([rate.isOpen, clock.pending]).toEqual([true, 0]);
  clock.advance(10_000);
  expect(wakes).toBe(0);
});
