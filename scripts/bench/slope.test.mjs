// Growth of memory over a soak.

import { expect, it } from "vitest";
import { slopePerHour } from "./slope.mjs";

it("is what a straight line rises in an hour, whatever swings around it", () => {
  const line = (swing) => Array.from({ length: 100 }, (_, i) => [i / 100, 150 + 3 * (i / 100) + swing * (-1) ** i]);
  expect(slopePerHour(line(0))).toBeCloseTo(3);
  expect(slopePerHour(line(5))).toBeCloseTo(3, 0);
});

it("is nothing for too few samples, or for all at one time", () => {
  expect([
    slopePerHour([]),
    slopePerHour([[1, 5]]),
    slopePerHour([
      [1, 5],
      [1, 9],
    ]),
  ]).toEqual([0, 0, 0]);
});
