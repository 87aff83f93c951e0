/**
 * Real firmware images on emulated boards through the real gateway, as `tidegate sim --board` runs them: on the dashboard's
 * API, in MQTT, obeying; through bad lines, with every loss listed; and through a gateway that is killed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SystemClock } from "@tidegate/device-sdk";
import { afterAll, beforeAll, expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { accountOf } from "../src/boards/account.js";
import { boardKind } from "../src/boards/board-kind.js";
import { buildImages } from "../src/boards/images.js";
import { proveNoise } from "../src/boards/noise-proof.js";
import { BrokerProcess } from "../src/rehearse/broker-process.js";
import { Child, until } from "../src/rehearse/child.js";
import { GatewayProcess } from "../src/rehearse/gateway-process.js";

const SIM = fileURLToPath(new URL("../bin/tidegate-sim.js", import.meta.url));
const BUILD_TIMEOUT_MS = 180_000;
const RUN_TIMEOUT_MS = 120_000;
const KINDS = ["microbit", "mps2", "uno", "mega", "native"];
const BOARDS = KINDS.map((kind) => `sim-${kind}-1`);
/** Short for `npm test`; `npm run noise` takes the minute of the targets. */
const NOISE_MS = 3_500;

const withAll = requires(
  "arm-none-eabi-gcc",
  "qemu-system-arm",
  "avr-gcc",
  "simavr",
  "make",
  "gcc",
  "mosquitto",
  "mosquitto_sub",
);
const programs = { mosquitto: withAll.path("mosquitto"), mosquittoSub: withAll.path("mosquitto_sub") };
const dir = mkdtempSync(join(tmpdir(), "tidegate-fleet-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

withAll.describe("emulated boards", () => {
  const kinds = KINDS.map(boardKind);
  let builds: Awaited<ReturnType<typeof buildImages>>;

  beforeAll(async () => {
    builds = await buildImages(kinds, process.env["PATH"] ?? "");
  }, BUILD_TIMEOUT_MS);

  withAll.it(
    "of five kinds are online at once, report, obey, and come back by themselves to a gateway that was killed",
    async () => {
      const broker = await BrokerProcess.start({ dir: join(dir, "broker"), ...programs });
      await broker.subscribe();
      const gateway = await GatewayProcess.start({
        dir: join(dir, "site"),
        settings: { sinks: [{ name: "north", type: "mqtt", url: broker.url }] },
      });
      const data = ["--data-dir", gateway.dataDir];
      const sim = new Child(process.execPath, [SIM, "run", ...data, "--board", KINDS.join(","), "--rate", "4"]);
      const shown = async (id: string) => (await gateway.call("GET", `/api/v1/devices/${id}`)).body;
      const everyone = (ready: (id: string) => boolean | Promise<boolean>) => async () => {
        if (!sim.isRunning) throw new Error(`the simulator ended: ${sim.words}`);
        return (await Promise.all(BOARDS.map(ready))).every(Boolean);
      };
      const succeeds = async (id: string, name: string, args: object) => {
        const { body } = await gateway.call("POST", `/api/v1/devices/${id}/commands`, { name, args, ttlMs: 20_000 });
        const state = async () => (await gateway.call("GET", `/api/v1/commands/${body.commandId}`)).body;
        await until(`${name} on ${id} succeeds`, async () => (await state()).state === "succeeded");
        return (await state()).result;
      };
      const account = async (id: string) =>
        accountOf(id, broker.received(), (await gateway.call("GET", `/api/v1/gaps?device=${id}`)).body.gaps);
      try {
        await until(
          "all are online",
          everyone(async (id) => (await shown(id)).online === true),
          60_000,
        );
        await until(
          "all report",
          everyone(async (id) => (await shown(id)).latest.length >= 2),
        );
        expect((await Promise.all(BOARDS.map(shown))).map(({ model }) => model)).toEqual(
          kinds.map(({ model }) => model),
        );
        for (const id of BOARDS) {
          expect(await succeeds(id, "echo", { from: id })).toEqual({ from: id });
          await succeeds(id, "led", { on: true });
        }
        await until(
          "MQTT has all of them",
          everyone(async (id) => (await account(id)).arrived > 5),
        );
        // Each board's catalog came before its first reading: none is under a bare number [P-27].
        expect(
          broker
            .received()
            .split("\n")
            .filter((line) => /"#\d+"/.test(line)),
        ).toEqual([]);
        await gateway.kill();
        const before = new Map(
          await Promise.all(BOARDS.map(async (id) => [id, accountOf(id, broker.received(), []).arrived] as const)),
        );
        await gateway.start();
        await until(
          "all are back",
          everyone(async (id) => (await account(id)).arrived > (before.get(id) ?? 0) + 8),
          40_000,
        );
        for (const id of BOARDS) {
          expect(await account(id)).toMatchObject({ faults: [], epochs: 1 });
          await succeeds(id, "echo", { again: id });
        }
      } finally {
        await sim.stop();
        await gateway.stop();
        await broker.end();
      }
    },
    RUN_TIMEOUT_MS,
  );

  withAll.it(
    "lose nothing at one wrong byte in a thousand, list every loss at one in a hundred, and never run a command twice",
    async () => {
      const pick = (name: string) => kinds.filter((kind) => kind.name === name);
      const cases = [0.001, 0.01].flatMap((byteErrors) =>
        [...pick("microbit"), ...pick("uno")].map((kind) => ({ kind, byteErrors })),
      );
      const verdicts = await proveNoise({
        ...{ cases, builds, dir: join(dir, "noise"), noiseMs: NOISE_MS, seed: 7, broker: programs },
        clock: new SystemClock(),
        path: process.env["PATH"] ?? "",
      });
      for (const verdict of verdicts) {
        expect(verdict.faults, JSON.stringify(verdict)).toEqual([]);
        expect(verdict.bytesHit).toBeGreaterThan(0);
        expect(verdict.account.absent).toBe(verdict.account.listed);
        if (verdict.byteErrors > 0.001) continue;
        expect(verdict.account).toMatchObject({ absent: 0, epochs: 1, executed: verdict.commands.sent });
        expect(verdict.commands.succeeded).toBe(verdict.commands.sent);
      }
    },
    RUN_TIMEOUT_MS,
  );
});
