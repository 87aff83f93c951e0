/** The list of mutants follows the code, and the world can find bugs: each of a quick few shows within its seeds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { MUTANTS } from "./list.js";
import { mutated } from "./mutant.js";
import { plantedWorld } from "./planted-world.js";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const TIMEOUT_MS = 300_000;
/** Found by the world within a few seeds; `npm run mutants` does all of them. */
const QUICK = new Set(["ack before commit", "epoch reused", "gap not written", "cursor before PUBACK"]);

describe("mutants", () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))("%s: its place is there, once", (_, mutant) => {
    const text = readFileSync(join(ROOT, mutant.file), "utf8");
    expect(mutated(mutant, text)).not.toBe(text);
  });

  test("names are unique, and each has a test of its room", () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(MUTANTS.filter(({ tests }) => tests.length === 0)).toEqual([]);
  });

  test.each(MUTANTS.filter(({ name }) => QUICK.has(name)).map((mutant) => [mutant.name, mutant] as const))(
    "the world notices: %s",
    async (_, mutant) => {
      const Planted = await plantedWorld(mutant, ROOT);
      let foundBy = 0;
      for (let seed = 1; seed <= mutant.seedsMax && foundBy === 0; seed++) {
        if ((await new Planted(seed).run()).violationCount > 0) foundBy = seed;
      }
      expect(foundBy, `no violation in ${mutant.seedsMax} seeds`).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
