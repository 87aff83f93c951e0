/**
 * Serial lines end to end: the real gateway at one end of a wire; the TypeScript SDK at the other end of a pair of
 * pseudo-terminals, or a real firmware image on an emulated Cortex-M0 behind a socket.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Device, type DeviceOptions } from "@tidegate/device-sdk";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { boardKind } from "../src/boards/board-kind.js";
import { identityPage } from "../src/boards/identity.js";
import { buildImages } from "../src/boards/images.js";
import { Child, until } from "../src/rehearse/child.js";
import { type Credential, GatewayProcess, gatewayBin } from "../src/rehearse/gateway-process.js";

const BUILD_TIMEOUT_MS = 120_000;
const RUN_TIMEOUT_MS = 60_000;
/** Each line of the test: its two ends are links that socat makes. */
const LINES = ["proven", "trusted", "restarted"] as const;
type Line = (typeof LINES)[number];

const withSocat = requires("socat");
const dir = mkdtempSync(join(tmpdir(), "tidegate-serial-"));
const gatewayEnd = (line: Line): string => join(dir, `${line}.gateway`);
const boardSocket = join(dir, "board.sock");

let gateway: GatewayProcess;
const children: Child[] = [];
const devices: Device[] = [];
let number = 0;

/** Two pseudo-terminals, joined. Links of an earlier one may not stay: the kernel gives its terminals to others. */
async function wire(line: Line): Promise<Child> {
  const end = (path: string): string => `pty,raw,echo=0,link=${path}`;
  for (const path of [gatewayEnd(line), deviceEnd(line)]) rmSync(path, { force: true });
  const socat = new Child(withSocat.path("socat"), [end(gatewayEnd(line)), end(deviceEnd(line))]);
  children.push(socat);
  await until(`the wire ${line} is there`, () => existsSync(gatewayEnd(line)) && existsSync(deviceEnd(line)));
  return socat;
}

function deviceEnd(line: Line): string {
  return join(dir, `${line}.device`);
}

function start(line: Line, { deviceId, token }: Credential, more: Partial<DeviceOptions> = {}) {
  const device = new Device({
    url: `serial:${deviceEnd(line)}?baud=115200`,
    id: deviceId,
    token,
    model: "wire",
    flushIntervalMs: 0,
    ...more,
  });
  devices.push(device);
  const count = device.signal("count", { type: "int" });
  device.command("add", { idempotent: false }, ({ a, b }: { a: number; b: number }) => ({ sum: a + b }));
  device.start();
  return { device, count };
}

const newDevice = (): Promise<Credential> => gateway.addDevice(`wired-${++number}`);
const shown = async (device: string) => (await gateway.call("GET", `/api/v1/devices/${device}`)).body;
const gapsOf = async (device: string) => (await gateway.call("GET", `/api/v1/gaps?device=${device}`)).body.gaps;

/** Run a command to its end. */
async function command(device: string, name: string, args: object) {
  const { body, status } = await gateway.call("POST", `/api/v1/devices/${device}/commands`, { name, args });
  expect(status, JSON.stringify(body)).toBe(202);
  const show = async () => (await gateway.call("GET", `/api/v1/commands/${body.commandId}`)).body;
  await until(`${name} has ended`, async () => ["succeeded", "failed", "cancelled"].includes((await show()).state));
  return show();
}

beforeAll(async () => {
  gateway = await GatewayProcess.start({
    dir: join(dir, "site"),
    settings: {
      serial: [
        { path: gatewayEnd("proven") },
        { path: gatewayEnd("trusted"), trusted: true },
        { path: gatewayEnd("restarted") },
        { path: `unix:${boardSocket}` },
      ],
    },
  });
});
afterEach(async () => {
  for (const device of devices.splice(0)) await device.stop(0);
  for (const child of children.splice(0)) await child.stop();
});
afterAll(async () => {
  await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
});

withSocat.describe("a device on a pseudo-terminal", () => {
  withSocat.it(
    "has its telemetry acked and its commands answered [P-11] [P-37] [P-38]",
    async () => {
      const credential = await newDevice();
      await wire("proven");
      const { device, count } = start("proven", credential);
      for (let n = 0; n < 200; n++) count.report(n);
      await device.flush(20_000);
      expect(device.stats()).toMatchObject({ samplesAcked: 200, messagesDropped: 0 });
      await until("its latest value is shown", async () => {
        // Again and again: the first readings were mapped to UTC more roughly, and may lie a little in the future.
        count.report(200);
        return (await shown(credential.deviceId)).latest[0]?.v === 200;
      });
      const remote = gatewayEnd("proven");
      expect(await shown(credential.deviceId)).toMatchObject({ online: true, remote, model: "wire" });
      expect((await command(credential.deviceId, "add", { a: 2, b: 3 })).result).toEqual({ sum: 5 });
      const huge = await command(credential.deviceId, "add", { a: "x".repeat(1_024), b: 0 });
      expect(huge).toMatchObject({ state: "cancelled", error: expect.stringContaining("larger than") });
      expect(await gapsOf(credential.deviceId)).toEqual([]);
    },
    RUN_TIMEOUT_MS,
  );

  withSocat.it("is refused with a wrong proof, and let in with the right one on the same line", async () => {
    const credential = await newDevice();
    const other = await newDevice();
    await wire("proven");
    const refused = start("proven", { ...credential, token: other.token });
    const detail = await new Promise<string>((resolve) => refused.device.on("refused", (why) => resolve(why.detail)));
    expect(detail).toMatch(/credential|proof/);
    expect((await shown(credential.deviceId)).online).toBe(false);
    await refused.device.stop(0);
    const { device, count } = start("proven", credential);
    count.report(1);
    await device.flush(20_000);
  });

  withSocat.it("needs no token on a trusted line, but must be known", async () => {
    const { deviceId } = await newDevice();
    await wire("trusted");
    const tokenless = { deviceId, token: "", url: "", ca: "" };
    const { device, count } = start("trusted", tokenless);
    count.report(1);
    await device.flush(20_000);
    expect((await shown(deviceId)).online).toBe(true);
    await device.stop(0);
    const stranger = start("trusted", { ...tokenless, deviceId: "stranger" });
    await new Promise<void>((resolve) => stranger.device.on("refused", () => resolve()));
  });

  withSocat.it(
    "says Hello again after the gateway was killed and restarted under the line, and nothing is lost [P-11]",
    async () => {
      const credential = await newDevice();
      await wire("restarted");
      const { device, count } = start("restarted", credential);
      let reported = 0;
      const timer = setInterval(() => count.report(++reported), 25);
      try {
        await until("readings are acked", () => device.stats().samplesAcked > 20);
        await gateway.kill();
        await until("readings wait", () => device.stats().queuedMessages > 40);
        const ackedBefore = device.stats().samplesAcked;
        await gateway.start();
        await until("readings are acked again", () => device.stats().samplesAcked > ackedBefore + 20);
      } finally {
        clearInterval(timer);
      }
      await device.flush(20_000);
      // The line never broke: it was SayHello, not a new link, that brought the session back.
      expect(device.stats()).toMatchObject({
        linkAttempts: 1,
        sessions: 2,
        messagesDropped: 0,
        samplesAcked: reported,
      });
      expect(await gapsOf(credential.deviceId)).toEqual([]);
    },
    RUN_TIMEOUT_MS,
  );

  withSocat.it(
    "comes back by itself when the wire is pulled out and plugged in again",
    async () => {
      const credential = await newDevice();
      const socat = await wire("proven");
      const { device, count } = start("proven", credential, { limits: { backoffCapMs: 2_000 } });
      count.report(1);
      await device.flush(20_000);
      await socat.stop();
      await until("the gateway noticed", async () => !(await shown(credential.deviceId)).online);
      await wire("proven");
      count.report(2);
      await device.flush(30_000);
      expect(device.stats()).toMatchObject({ samplesAcked: 2, messagesDropped: 0 });
    },
    RUN_TIMEOUT_MS,
  );
});

const withBoard = requires("arm-none-eabi-gcc", "qemu-system-arm", "make");
withBoard.describe("firmware on an emulated Cortex-M0 through the real gateway", () => {
  let image = "";

  beforeAll(async () => {
    const kind = boardKind("microbit");
    const builds = await buildImages([kind], process.env["PATH"] ?? "");
    image = join(builds.get(kind) ?? "", "microbit.elf");
  }, BUILD_TIMEOUT_MS);

  function identity({ deviceId: id, token }: Credential): string {
    writeFileSync(join(dir, "board.bin"), identityPage({ id, token, seed: 0x5eed_0002, intervalMs: 100 }));
    return join(dir, "board.bin");
  }

  withBoard.it(
    "brings its catalog, telemetry and answers, also across a restart of the gateway [P-11] [P-37] [P-38]",
    async () => {
      const credential = await newDevice();
      const device = `loader,file=${identity(credential)},addr=0x20003f80,force-raw=on`;
      children.push(
        new Child(withBoard.path("qemu-system-arm"), [
          ...["-M", "microbit", "-kernel", image, "-display", "none", "-monitor", "none", "-nodefaults"],
          ...["-serial", `unix:${boardSocket},server=on,wait=off`, "-device", device],
        ]),
      );
      const { deviceId } = credential;
      await until("the board is online", async () => (await shown(deviceId)).online === true);
      await until("it reports", async () => (await shown(deviceId)).latest.length >= 2);
      expect(await shown(deviceId)).toMatchObject({ model: "microbit", remote: `unix:${boardSocket}` });
      expect((await command(deviceId, "echo", { on: true })).result).toEqual({ on: true });
      const ackedBefore = (await shown(deviceId)).ackedSeq;
      await gateway.kill();
      await gateway.start();
      await until("it is back", async () => {
        const { online, ackedSeq } = await shown(deviceId);
        return online === true && ackedSeq > ackedBefore + 5;
      });
      expect((await command(deviceId, "led", { on: true })).state).toBe("succeeded");
    },
    RUN_TIMEOUT_MS,
  );
});

const withAvr = requires("avr-gcc", "gcc", "simavr", "make");
withAvr.describe("the serial commands on an emulated ATmega328P", () => {
  const socket = join(dir, "uno.sock");
  let uno: Child | null = null;

  beforeAll(async () => {
    const kind = boardKind("uno");
    const builds = await buildImages([kind], process.env["PATH"] ?? "");
    const page = join(dir, "uno.bin");
    const who = { id: "uno-7", token: "tgd_never_shown", seed: 0x5eed_0003, intervalMs: 100 };
    writeFileSync(page, identityPage(who));
    const { program, args } = kind.command(builds.get(kind) ?? "", { ...who, uart: socket, page });
    uno = new Child(program, [...args, "--listen", "1"]);
    await until("its line is there", () => existsSync(socket));
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await uno?.stop();
  });

  const tidegate = (...args: string[]): string =>
    execFileSync(process.execPath, [gatewayBin(), "serial", ...args], { encoding: "utf8" });

  withAvr.it("say who is there: serial identify", () => {
    const text = tidegate("identify", `unix:${socket}`, "--json");
    expect(JSON.parse(text)).toMatchObject({ deviceId: "uno-7", model: "atmega328p", maxRxBytes: 75, hasProof: true });
    expect(text).not.toContain("tgd_never_shown");
  });

  withAvr.it("show what it says, to one listener after the other: serial monitor", () => {
    for (const _ of [1, 2]) {
      const lines = tidegate("monitor", `unix:${socket}`, "--json", "--count", "2").trim().split("\n");
      const pieces = lines.map((line) => JSON.parse(line));
      expect(pieces).toContainEqual(expect.objectContaining({ kind: "message", message: "hello" }));
      expect(lines.join()).not.toContain("tgd_never_shown");
    }
  });

  withAvr.it("list the ports of the machine: serial ls", () => {
    expect(JSON.parse(tidegate("ls", "--json"))).toMatchObject({ ports: expect.any(Array) });
  });
});

describe("a line that is not there", () => {
  it("does not keep the gateway from starting, and is told in the log with what to do", async () => {
    const { status } = await gateway.call("GET", "/healthz");
    expect(status).toBe(200);
    expect(gateway.words).toContain("E_SERIAL_MISSING");
    expect(gateway.words).toContain("tidegate serial ls");
  });
});
