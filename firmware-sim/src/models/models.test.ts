/** What the signal models promise: the same seed and instant give the same value, and the values look like the thing. */
import { describe, expect, it } from "vitest";
import { batteryPercent } from "./battery.js";
import { type Heating, heat, humidityPercent, unheatedCelsius } from "./climate.js";
import { isDoorOpen } from "./door.js";
import { smoothNoise } from "./noise.js";
import { flowLitresPerMin } from "./pump.js";

const DAY_MS = 86_400_000;
const MIDNIGHT = Date.UTC(2026, 5, 1);
const CLIMATE = { meanCelsius: 20, swingCelsius: 5, humidityPercent: 60 };
const minutes = (count: number) => Array.from({ length: count }, (_, i) => MIDNIGHT + i * 60_000);

describe("signal models", () => {
  it("give the same value for the same seed and instant, whatever was asked before", () => {
    const forwards = minutes(600).map((at) => unheatedCelsius(CLIMATE, 7, at));
    const backwards = minutes(600)
      .reverse()
      .map((at) => unheatedCelsius(CLIMATE, 7, at))
      .reverse();
    expect(backwards).toEqual(forwards);
  });

  it("give other values for another seed", () => {
    expect(unheatedCelsius(CLIMATE, 1, MIDNIGHT)).not.toBe(unheatedCelsius(CLIMATE, 2, MIDNIGHT));
    expect(batteryPercent(1, MIDNIGHT)).not.toBe(batteryPercent(2, MIDNIGHT));
  });

  it("noise stays within −1 and 1 and has no jumps", () => {
    let before = smoothNoise(3, 1, 0, 10_000);
    for (let at = 100; at < 300_000; at += 100) {
      const now = smoothNoise(3, 1, at, 10_000);
      expect(Math.abs(now)).toBeLessThanOrEqual(1);
      expect(Math.abs(now - before)).toBeLessThan(0.05);
      before = now;
    }
  });

  it("it is warmer in the afternoon than at night, and near the mean over a day", () => {
    const hour = (h: number) => unheatedCelsius(CLIMATE, 5, MIDNIGHT + h * 3_600_000);
    expect(hour(15)).toBeGreaterThan(hour(3) + CLIMATE.swingCelsius);
    const day = minutes(1_440).map((at) => unheatedCelsius(CLIMATE, 5, at));
    expect(day.reduce((a, b) => a + b) / day.length).toBeCloseTo(CLIMATE.meanCelsius, 0);
  });

  it("humidity is a percentage and falls when it gets warmer", () => {
    expect(humidityPercent(CLIMATE, 1, MIDNIGHT, 30)).toBeLessThan(humidityPercent(CLIMATE, 1, MIDNIGHT, 20));
    for (const celsius of [-40, 0, 60, 200]) {
      const percent = humidityPercent(CLIMATE, 1, MIDNIGHT, celsius);
      expect(percent).toBeGreaterThanOrEqual(5);
      expect(percent).toBeLessThanOrEqual(100);
    }
  });

  it("the heater approaches what is lacking, never cools below, and ignores a clock that goes backwards", () => {
    let heating: Heating = { heatCelsius: 0, atUnixMs: 0 };
    let before = -1;
    for (let at = 0; at <= 600_000; at += 1_000) {
      heating = heat(heating, 6, at);
      expect(heating.heatCelsius).toBeGreaterThanOrEqual(before);
      before = heating.heatCelsius;
    }
    expect(heating.heatCelsius).toBeCloseTo(6, 3);
    expect(heat(heating, 6, 0).heatCelsius).toBe(heating.heatCelsius);
    expect(heat(heating, -50, 10_000_000).heatCelsius).toBeGreaterThanOrEqual(0);
  });

  it("the door opens for five to forty seconds at a time, by day more often than by night", () => {
    const secondsOpen = (fromHour: number): number[] => {
      const runs: number[] = [];
      let run = 0;
      for (let s = 0; s < 5 * 3_600; s++) {
        if (isDoorOpen(9, MIDNIGHT + fromHour * 3_600_000 + s * 1_000)) run++;
        else if (run > 0) {
          runs.push(run);
          run = 0;
        }
      }
      return runs;
    };
    const day = secondsOpen(9);
    expect(day.length).toBeGreaterThan(secondsOpen(0).length);
    expect(Math.min(...day)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...day)).toBeLessThanOrEqual(41);
  });

  it("the battery empties slowly and is replaced before it is flat", () => {
    const levels = Array.from({ length: 300 }, (_, day) => batteryPercent(4, MIDNIGHT + day * DAY_MS));
    expect(Math.min(...levels)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...levels)).toBeLessThanOrEqual(100);
    const rises = levels.filter((level, i) => i > 0 && level > (levels[i - 1] ?? 0)).length;
    expect(rises).toBeGreaterThan(0);
    expect(rises).toBeLessThan(9);
  });

  it("water flows only while the pump runs", () => {
    expect(flowLitresPerMin(1, MIDNIGHT, null)).toBe(0);
    expect(flowLitresPerMin(1, MIDNIGHT, MIDNIGHT)).toBe(0);
    expect(flowLitresPerMin(1, MIDNIGHT + 20_000, MIDNIGHT)).toBeGreaterThan(11);
  });
});
