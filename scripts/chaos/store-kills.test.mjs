// A slice of the store's kill points; all of them: node scripts/chaos/chaos.mjs --store 1
import { afterAll, beforeAll, expect } from "vitest";
import { requires } from "../testing/requires.mjs";

const withCompiler = requires("cc");

withCompiler.describe("the store, killed at the k-th call of its life", () => {
  let store;
  beforeAll(async () => {
    const { StoreKills } = await import("./store-kills.mjs");
    store = new StoreKills();
  });
  afterAll(() => store?.close());

  const POINTS = [
    ["fsync", [1, 3, 90, 201]],
    ["write", [2, 12, 333, 1_100]],
  ];
  for (const [call, points] of POINTS) {
    withCompiler.it.each(points)(`at ${call} %i: nothing acked is lost, nothing is stored twice`, async (k) => {
      expect(await store.killAt(call, k)).toMatchObject({ isKilled: true, unique: 200, missing: 0, doubled: 0 });
    });
  }
});
