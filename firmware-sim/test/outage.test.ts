/** The promise on real processes: nothing acked is lost, nothing arrives as two, order holds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { rehearseOutage } from "../src/rehearse/outage.js";
import { isClean } from "../src/rehearse/verdict.js";

const withBroker = requires("mosquitto", "mosquitto_sub");

withBroker.describe("an outage", () => {
  withBroker.it(
    "of the broker with the gateway killed twice in the middle loses nothing, doubles nothing, keeps the order",
    async () => {
      const dir = mkdtempSync(join(tmpdir(), "tidegate-outage-"));
      try {
        const verdict = await rehearseOutage({
          dir,
          deviceCount: 20,
          intervalMs: 100,
          beforeMs: 2000,
          outageMs: 6000,
          afterMs: 2000,
          kills: 2,
          broker: { mosquitto: withBroker.path("mosquitto"), mosquittoSub: withBroker.path("mosquitto_sub") },
        });
        expect(verdict.faults).toEqual([]);
        expect(isClean(verdict)).toBe(true);
        expect(verdict.acked).toBe(verdict.attempted);
        expect(verdict.unique).toBe(verdict.attempted);
        expect(verdict.attempted).toBeGreaterThan(500);
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
