/**
 * An Arduino sketch as its user would write it: compiled against Debian's Arduino core and our library, run on an
 * emulated ATmega328P, online through the real gateway.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { Child, until } from "../src/rehearse/child.js";
import type { Credential } from "../src/rehearse/gateway-process.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";

const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SKETCH = inRoot("device-sdk/c/port/arduino/examples/UnoThermometer");
const BUILD_TIMEOUT_MS = 120_000;
/** Compiles the Arduino core, too. */
const RUN_TIMEOUT_MS = 180_000;
/** An emulated pin that nobody drives reads 0 V, and a TMP36 says so at -50 °C. */
const DEGREES_AT_0_VOLTS = -50;

const BOARDS_TXT = "/usr/share/arduino/hardware/arduino/avr/boards.txt";
const withArduino = requires("gcc", "make", "avr-gcc", "simavr", BOARDS_TXT);

const dir = mkdtempSync(join(tmpdir(), "tidegate-sketch-"));
const line = join(dir, "uno.sock");
const children: Child[] = [];
let site: TestGateway;
let credential: Credential;

const shown = async () => (await site.gateway.call("GET", `/api/v1/devices/${credential.deviceId}`)).body;

interface Latest {
  readonly signal: string;
  readonly v: number;
}
const temperature = async (): Promise<Latest | undefined> =>
  (await shown()).latest.find(({ signal }: Latest) => signal === "temperature");

const run = promisify(execFile);

/** Runs one of our scripts. Not synchronously: the API's connections have to be seen closing meanwhile. */
async function script(path: string, args: readonly string[], input = ""): Promise<string> {
  const running = run(process.execPath, [inRoot(path), ...args]);
  running.child.stdin?.end(input);
  return (await running).stdout;
}

async function command(name: string, args: object): Promise<string> {
  const path = `/api/v1/devices/${credential.deviceId}/commands`;
  const { commandId } = (await site.gateway.call("POST", path, { name, args })).body;
  let state = "";
  await until("the command has ended", async () => {
    state = (await site.gateway.call("GET", `/api/v1/commands/${commandId}`)).body.state;
    return ["succeeded", "failed", "unsupported"].includes(state);
  });
  return state;
}

withArduino.describe("an Arduino sketch on an emulated Uno", () => {
  beforeAll(async () => {
    const args = ["--no-print-directory", "-C", inRoot("firmware-sim/firmware"), `BUILD=${join(dir, "runner")}`];
    const env = { ...process.env, MAKEFLAGS: "" };
    mkdirSync(join(dir, "runner"));
    await run(withArduino.path("make"), [...args, "runner"], { env });
    site = await startGateway({ serial: [{ path: `unix:${line}` }] });
    credential = await site.gateway.addDevice("uno-1");
  }, BUILD_TIMEOUT_MS);
  afterEach(async () => {
    for (const child of children.splice(0)) await child.stop();
  });
  afterAll(async () => {
    await site.end();
    rmSync(dir, { recursive: true, force: true });
  });

  withArduino.it(
    "comes online with its catalog, reports, obeys, and comes back after the gateway was killed",
    async () => {
      const secrets = join(dir, "secrets.h");
      writeFileSync(secrets, await script("hardware/flash/credential-header.mjs", [], JSON.stringify(credential)));
      const built = await script("scripts/arduino-build.mjs", [
        SKETCH,
        "--out",
        join(dir, "uno"),
        "--secrets",
        secrets,
      ]);
      const [elf = ""] = built.split("\n");
      children.push(new Child(join(dir, "runner", "run-avr"), ["atmega328p", elf, line, "none", "--listen", "1"]));
      await until("it is online", async () => (await shown()).online === true);
      // Readings from before its first Welcome came without the catalog, and have only a number.
      await until("it reports", async () => (await temperature()) !== undefined);
      expect((await temperature())?.v).toBeCloseTo(DEGREES_AT_0_VOLTS, 1);
      expect((await shown()).model).toBe("arduino-uno");
      expect(await command("led", { on: true })).toBe("succeeded");
      const ackedBefore = (await shown()).ackedSeq;
      await site.gateway.kill();
      await site.gateway.start();
      // The first call may still take a connection to the gateway that was killed.
      const isBack = async (): Promise<boolean> => {
        const { online, ackedSeq } = await shown();
        return online === true && ackedSeq > ackedBefore;
      };
      await until("it is back by itself", () => isBack().catch(() => false));
    },
    RUN_TIMEOUT_MS,
  );
});
