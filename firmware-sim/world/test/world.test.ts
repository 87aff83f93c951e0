/** A slice of the deterministic world: no seed of it breaks a promise, and a seed's story is the same every time. */
import { describe, expect, test } from "vitest";
import { World } from "../src/world.js";

const SEEDS = 60;
const SLICE_TIMEOUT_MS = 300_000;

describe("the world", () => {
  test(
    `holds every promise for seeds 1 to ${SEEDS}`,
    async () => {
      const broken: string[] = [];
      let deliveredCount = 0;
      for (let seed = 1; seed <= SEEDS; seed++) {
        const { findings, counts } = await new World(seed).run();
        deliveredCount += counts["delivered"] ?? 0;
        for (const { invariant, detail } of findings) broken.push(`seed ${seed}: ${invariant}: ${detail}`);
      }
      expect(broken).toEqual([]);
      expect(deliveredCount).toBeGreaterThan(1_000);
    },
    SLICE_TIMEOUT_MS,
  );

  test("tells the same story from the same seed, told or untold", async () => {
    const first = await new World(7).run();
    const again = await new World(7, true).run();
    expect(again.hash).toBe(first.hash);
    expect(again.lines.length).toBeGreaterThan(10);
    expect((await new World(8).run()).hash).not.toBe(first.hash);
  });
});
