/** The world can find bugs: each planted one shows within its number of seeds, and the sound product shows nothing. */
import { describe, expect, test } from "vitest";
import { plantedWorld } from "./mutant.js";
import { PLANTS } from "./plants.js";

const TIMEOUT_MS = 300_000;
/** What the tests run of the list; `PLANT_ALL=1` is not needed: the others are for the runner of all mutants. */
const TESTED = new Set(["ack before commit", "epoch reused", "gap not written", "cursor before PUBACK"]);

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
