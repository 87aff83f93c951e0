/** The world can find bugs: each planted one shows within its number of seeds, and the sound product shows nothing. */
import { describe, expect, test } from "vitest";
import { plantedWorld } from "./mutant.js";
import { PLANTS } from "./plants.js";

const TIMEOUT_MS = 300_000;
/** The quick ones, in every run of the tests; all of PLANTS are for whoever works on the world. */
const TESTED = new Set([
  "ack before commit",
  "epoch reused",
  "gap not written",
  "cursor before PUBACK",
  "keys are told by the wall clock",
]);

describe("planted bugs", () => {
  test.each(PLANTS.filter(({ name }) => TESTED.has(name)).map((plant) => [plant.name, plant] as const))(
    "%s is found",
    async (_, plant) => {
      const Planted = await plantedWorld(plant);
      let foundBy = 0;
      for (let seed = 1; seed <= plant.seedsMax && foundBy === 0; seed++) {
        const report = await new Planted(seed).run();
        if (report.violationCount > 0) foundBy = seed;
      }
      expect(foundBy, `no violation in ${plant.seedsMax} seeds`).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
