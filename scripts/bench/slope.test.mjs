// Growth of memory over a soak.

import { expect, it } from "vitest";
import { meansPer, slopePerHour } from "./slope.mjs";

const line = (swing) =>
  Array.from({ length: 100 }, (_, i) => {
    const hours = (i + 0.5) / 100;
    return [hours, 150 + 3 * hours + swing * (-1) ** i];
  });

it("is what a straight line rises in an hour, whatever swings around it", () => {
  expect(slopePerHour(line(0)).perHour).toBeCloseTo(3);
  expect(slopePerHour(line(5)).perHour).toBeCloseTo(3, 0);
});

it("comes with what chance alone could have made of it", () => {
  expect(slopePerHour(line(0)).error).toBeCloseTo(0);
  const { perHour, error } = slopePerHour(line(5));
  expect(Math.abs(perHour - 3)).toBeLessThan(2 * error);
  expect(slopePerHour(line(0).slice(0, 2)).error).toBe(Number.POSITIVE_INFINITY);
});

it("is nothing for too few samples, or for all at one time", () => {
  const sameTime = [
    [1, 5],
    [1, 9],
  ];
  for (const samples of [[], [[1, 5]], sameTime]) expect(slopePerHour(samples).perHour).toBe(0);
});

it("does not see what swings within a stretch once each stretch is one mean", () => {
  const means = meansPer(line(5), 0.1);
  expect(means).toHaveLength(10);
  expect(slopePerHour(means).perHour).toBeCloseTo(3);
  expect(slopePerHour(means).error).toBeLessThan(slopePerHour(line(5)).error);
});
