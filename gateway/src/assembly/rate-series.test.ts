/** The rates that a dashboard begins with: what they count, and how many are kept. */
import { describe, expect, it } from "vitest";
import { RATE_STEP_MS, RATES_MAX, RateSeries } from "./rate-series.js";

describe("the rates of the last minutes", () => {
  it("are what came in a second of each step, oldest first, and begin with what was counted before", () => {
    let count = 5000;
    const series = new RateSeries(() => count, 1000);
    expect(series.values()).toEqual([]);
    for (const [i, more] of [20, 0, 7].entries()) {
      count += more;
      series.sample(1000 + (i + 1) * RATE_STEP_MS);
    }
    expect(series.values()).toEqual([10, 0, 3.5]);
  });

  it("go by the time that passed when a step comes late, and take nothing from one that takes no time", () => {
    let count = 0;
    const series = new RateSeries(() => count, 0);
    count = 100;
    series.sample(10_000);
    series.sample(10_000);
    expect(series.values()).toEqual([10]);
  });

  it("are so many and no more: the oldest go", () => {
    let count = 0;
    const series = new RateSeries(() => count, 0);
    for (let i = 1; i <= RATES_MAX + 3; i++) {
      count += i * 2;
      series.sample(i * RATE_STEP_MS);
    }
    expect(series.values()).toHaveLength(RATES_MAX);
    expect(series.values()[0]).toBe(4);
    expect(series.values().at(-1)).toBe(RATES_MAX + 3);
  });
});
