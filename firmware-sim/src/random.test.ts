/** Chance that repeats: streams, places and seeds. */
import { describe, expect, it } from "vitest";
import { childSeed, DeviceRandom, hashUnit, SeededRandom } from "./random.js";

const draw = (random: SeededRandom, count: number) => Array.from({ length: count }, () => random.unit());

describe("seeded random", () => {
  it("repeats with its seed, and differs with another", () => {
    expect(draw(new SeededRandom(1), 50)).toEqual(draw(new SeededRandom(1), 50));
    expect(draw(new SeededRandom(1), 5)).not.toEqual(draw(new SeededRandom(2), 5));
  });

  it("is spread evenly over [0, 1), also for small neighbouring seeds", () => {
    const first = Array.from({ length: 10_000 }, (_, seed) => new SeededRandom(seed).unit());
    const many = draw(new SeededRandom(3), 10_000);
    for (const numbers of [first, many]) {
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...numbers)).toBeLessThan(1);
      expect(numbers.reduce((a, b) => a + b) / numbers.length).toBeCloseTo(0.5, 1);
    }
  });

  it("hashes a place to one number, also past 2^32", () => {
    expect(hashUnit(1, 2, 3)).toBe(hashUnit(1, 2, 3));
    expect(hashUnit(1, 2, 3)).not.toBe(hashUnit(1, 2, 3 + 2 ** 32));
  });

  it("gives every device a seed of its own", () => {
    const seeds = Array.from({ length: 10_000 }, (_, index) => childSeed(1, index));
    expect(new Set(seeds).size).toBeGreaterThan(9_990);
    expect(Math.min(...seeds)).toBeGreaterThanOrEqual(1);
  });

  it("gives two runs with one seed different boot nonces, and the same jitter", () => {
    const [a, b] = [new DeviceRandom(1), new DeviceRandom(1)];
    expect(a.nonce()).not.toBe(b.nonce());
    expect(a.unit()).toBe(b.unit());
  });
});
