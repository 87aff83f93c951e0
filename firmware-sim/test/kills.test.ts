/**
 * The real gateway, killed at the k-th fsync, write and send of its life and at moments of chance. A slice: all of them
 * are `node scripts/chaos/chaos.mjs --kills 1000 --fsync 1 --write 1 --send 1`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { SeededRandom } from "../src/random.js";
import { type CommandKillOptions, rehearseCommandKills } from "../src/rehearse/command-kills.js";
import type { Operation } from "../src/rehearse/faultline.js";
import { type KillStage, type KillVerdict, rehearseKillPoints, rehearseRandomKills } from "../src/rehearse/kills.js";

const needed = requires("mosquitto", "mosquitto_sub", "cc");
const TIMEOUT_MS = 400_000;

async function inFolder(play: (stage: KillStage) => Promise<KillVerdict>): Promise<KillVerdict> {
  const dir = mkdtempSync(join(tmpdir(), "tidegate-kills-"));
  const broker = { mosquitto: needed.path("mosquitto"), mosquittoSub: needed.path("mosquitto_sub") };
  try {
    return await play({ dir, broker });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function expectNothingLost(verdict: KillVerdict): void {
  expect(verdict.faults).toEqual([]);
  expect(verdict).toMatchObject({ missing: 0, listed: 0, doubled: 0, altered: 0, outOfOrder: 0, invented: 0 });
  expect(verdict.acked).toBe(verdict.attempted);
  expect(verdict.unique).toBe(verdict.attempted);
}

needed.describe("the gateway, killed", () => {
  // From its opening into its work: the last of them lies among the messages.
  const SLICES: [Operation, { from: number; step: number; to: number }][] = [
    ["fsync", { from: 2, step: 26, to: 28 }],
    ["write", { from: 15, step: 160, to: 175 }],
    ["send", { from: 3, step: 40, to: 43 }],
  ];
  for (const [operation, range] of SLICES) {
    needed.it(
      `at its k-th ${operation} has lost nothing acked, stored nothing twice, changed no byte and no order`,
      async () => {
        const verdict = await inFolder((stage) => rehearseKillPoints({ ...stage, operation, ...range, messages: 40 }));
        expect(verdict.kills).toBe(2);
        expectNothingLost(verdict);
      },
      TIMEOUT_MS,
    );
  }

  needed.it(
    "at moments of chance under five devices has lost nothing either",
    async () => {
      const verdict = await inFolder((stage) =>
        rehearseRandomKills({ ...stage, kills: 3, deviceCount: 5, lifeMsMax: 1_500, random: new SeededRandom(3) }),
      );
      expect(verdict.kills).toBe(3);
      expectNothingLost(verdict);
    },
    TIMEOUT_MS,
  );
});

needed.describe("a command on whose way somebody is killed", () => {
  type Way = Omit<CommandKillOptions, "dir" | "isPersistent">;
  const WAYS: Way[] = [
    { victim: "gateway", edition: "ts", operation: "fsync", delivery: "atMostOnce", from: 1, step: 2, to: 3 },
    { victim: "gateway", edition: "ts", operation: "send", delivery: "atLeastOnce", from: 2, step: 3, to: 5 },
    { victim: "device", edition: "ts", operation: "send", delivery: "atMostOnce", from: 2, step: 1, to: 3 },
    // What may run twice is not written down before it runs: of its calls only those to send are sure to come.
    { victim: "device", edition: "ts", operation: "send", delivery: "atLeastOnce", from: 1, step: 1, to: 2 },
    { victim: "device", edition: "c", operation: "write", delivery: "atMostOnce", from: 1, step: 1, to: 2 },
    { victim: "device", edition: "c", operation: "send", delivery: "atLeastOnce", from: 1, step: 1, to: 2 },
  ];
  for (const way of WAYS) {
    const { victim, operation, delivery, edition } = way;
    needed.it(
      `${victim} at its k-th ${operation}, ${delivery}, ${edition} SDK: ran as promised, and comes to an end`,
      async () => {
        const dir = mkdtempSync(join(tmpdir(), "tidegate-command-kills-"));
        try {
          const verdict = await rehearseCommandKills({ dir, isPersistent: true, ...way });
          expect(verdict.faults).toEqual([]);
          expect(verdict.asked).toBe(2);
          expect(verdict.kills).toBeGreaterThan(0); // a command that is done sooner has fewer calls
        } finally {
          rmSync(dir, { recursive: true, force: true });
        }
      },
      TIMEOUT_MS,
    );
  }
});
