/** A slice of the deterministic world: no seed of it breaks a promise, and a seed's story is the same every time. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";
import { drawProfile } from "../src/profile.js";
import { Seeded } from "../src/seeded.js";
import { World } from "../src/world.js";

const SEEDS = 50;
const SLICE_TIMEOUT_MS = 300_000;
const C_SDK = fileURLToPath(new URL("../../../device-sdk/c", import.meta.url));
/** Seeds whose store is the gateway's own engine on SQLite. */
const SQL_SEEDS = Array.from({ length: SEEDS }, (_, i) => i + 1)
  .filter((seed) => drawProfile(new Seeded(seed).fork()).sql !== null)
  .slice(0, 2);

const withWasm = requires("clang", "wasm-ld", "make");

// The C edition takes part where it can be built; before the first world looks for it.
withWasm.describe("the C edition in the world", () => {
  beforeAll(() => void execFileSync("make", ["-C", C_SDK, "wasm"], { stdio: "pipe" }), 120_000);

  withWasm.it("is part of the fleets", { timeout: SLICE_TIMEOUT_MS }, async () => {
    let cCount = 0;
    for (let seed = 1; seed <= 3; seed++) cCount += (await new World(seed).run()).counts["cDevices"] ?? 0;
    expect(cCount).toBeGreaterThan(0);
  });
});

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

  test.each(SQL_SEEDS)(
    "tells the same story twice of a store on SQLite (seed %i)",
    { timeout: SLICE_TIMEOUT_MS },
    async (seed) => {
      const first = new World(seed);
      expect(first.profile.sql).not.toBeNull();
      const { hash, findings } = await first.run();
      expect(findings).toEqual([]);
      expect((await new World(seed).run()).hash).toBe(hash);
    },
  );

  test("tells the same story from the same seed, told or untold", { timeout: SLICE_TIMEOUT_MS }, async () => {
    const first = await new World(7).run();
    const again = await new World(7, true).run();
    expect(again.hash).toBe(first.hash);
    expect(again.lines.length).toBeGreaterThan(10);
    expect((await new World(8).run()).hash).not.toBe(first.hash);
  });
});
