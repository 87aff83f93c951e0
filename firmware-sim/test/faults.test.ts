/** One fault after the other on real processes: broker, links, disk and clock. Nothing acked may be missing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import type { FaultName } from "../src/rehearse/faults.js";
import { type OutageVerdict, rehearseOutage } from "../src/rehearse/outage.js";

const needed = requires("mosquitto", "mosquitto_sub", "cc");
const TIMEOUT_MS = 400_000;
const DEVICES = 10;

async function suffer(faults: readonly FaultName[], outageMs: number): Promise<OutageVerdict> {
  const dir = mkdtempSync(join(tmpdir(), "tidegate-faults-"));
  try {
    return await rehearseOutage({
      ...{ dir, faults, outageMs, deviceCount: DEVICES, intervalMs: 100, beforeMs: 1_000, afterMs: 1_000, kills: 0 },
      broker: { mosquitto: needed.path("mosquitto"), mosquittoSub: needed.path("mosquitto_sub") },
    });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function expectNothingLost(verdict: OutageVerdict): void {
  expect(verdict.faults).toEqual([]);
  expect(verdict).toMatchObject({ missing: 0, listed: 0, doubled: 0, altered: 0, outOfOrder: 0, invented: 0 });
  expect(verdict.acked).toBe(verdict.attempted);
  expect(verdict.unique).toBe(verdict.attempted);
  expect(verdict.attempted).toBeGreaterThan(DEVICES * 20);
}

needed.describe("nothing acked is lost, doubled or altered", () => {
  needed.it(
    "while the broker flaps, hangs, and takes messages whose acks are lost",
    async () => expectNothingLost(await suffer(["broker-flaps", "broker-hangs", "acks-lost"], 2_500)),
    TIMEOUT_MS,
  );

  needed.it(
    "while the disk is full and then fails an fsync: the gateway ends with 74, without an ack, and comes back",
    async () => expectNothingLost(await suffer(["disk-full", "disk-error"], 2_000)),
    TIMEOUT_MS,
  );

  needed.it(
    "while the wall clock jumps to 1970, past 2038, to yesterday and back",
    async () => expectNothingLost(await suffer(["clock-jumps"], 3_000)),
    TIMEOUT_MS,
  );

  needed.it(
    "while an fsync takes up to five seconds: no device is dropped, and the API does not wait for the disk",
    async () => {
      const verdict = await suffer(["slow-disk"], 9_000);
      expectNothingLost(verdict);
      expect(verdict.api.unanswered).toBe(0);
      expect(verdict.api.onlineMin).toBe(DEVICES);
      // Far below one slow fsync: it is not waited for.
      expect(verdict.api.p99Ms).toBeLessThan(2_500);
    },
    TIMEOUT_MS,
  );

  needed.it(
    "when every link of a device is half-open: it is noticed by heartbeats, and the new session takes over",
    async () => {
      // Nothing passes the old links any more: what was acked after the first second went over new ones. Who notices
      // first, gateway or device, is a matter of milliseconds, so how many were counted as offline is not asked.
      expectNothingLost(await suffer(["half-open"], 13_000));
    },
    TIMEOUT_MS,
  );
});
