// Flash scripts: the command for each tool, what they refuse, and an emulated Uno that is written through its boot loader
// and then runs what was written.

import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { decodeUplink, StreamDecoder } from "@tidegate/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { credentialHeader } from "./credential-header.mjs";
import { plan } from "./flash.mjs";

const inRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const FLASH = inRoot("hardware/flash/flash.mjs");
const AVR = "/usr/share/arduino/hardware/arduino/avr";
const RUN_TIMEOUT_MS = 120_000;

const dir = mkdtempSync(join(tmpdir(), "tidegate-flash-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const all = () => true;
const none = () => false;

describe("the plan for a board", () => {
  it.each([
    ["arduino-uno", "f.hex", "avrdude -p m328p -c arduino -P /dev/x -b 115200 -D -U flash:w:f.hex:i"],
    ["arduino-mega", "f.hex", "avrdude -p m2560 -c wiring -P /dev/x -b 115200 -D -U flash:w:f.hex:i"],
    ["esp32-c3-devkitm", "f.bin", "esptool --chip esp32c3 --port /dev/x --baud 460800 write_flash 0x0 f.bin"],
    ["rpi-pico-w", "f.uf2", "picotool load -v -x -f f.uf2"],
  ])("is the tool's command for %s", (board, image, command) => {
    expect(plan({ board, image, port: "/dev/x" }, all).command.join(" ")).toBe(command);
  });

  it("takes the way whose tool is installed, and the first when none is", () => {
    const pico = { board: "rpi-pico-w", image: "f.uf2", volume: "/mnt/pico" };
    expect(plan(pico, none)).toEqual({ tool: "copy", command: ["cp", "f.uf2", "/mnt/pico"] });
    expect(plan({ ...pico, tool: "picotool" }, none).tool).toBe("picotool");
    const old = (program) => program === "esptool.py";
    expect(plan({ board: "esp32-c3-devkitm", image: "f.bin", port: "x" }, old).command[0]).toBe("esptool.py");
    expect(plan({ board: "arduino-uno", image: "f.hex", port: "x" }, none).command[0]).toBe("avrdude");
  });

  it.each([
    [{ board: "rpi-4", image: "f.hex" }, /no way to flash "rpi-4"[\s\S]*Do: name one of .*arduino-uno/],
    [{ board: "arduino-uno", image: "f.bin", port: "x" }, /f\.bin is no image[\s\S]*Do: name a \.hex file/],
    [{ board: "arduino-uno", image: "f.hex" }, /none is named[\s\S]*Do: .*tidegate serial ls/],
    [{ board: "arduino-uno", image: "f.hex", port: "x", tool: "esptool" }, /not flashed with "esptool"/],
  ])("refuses %o and says what to do", (wish, message) => {
    expect(() => plan(wish, all)).toThrow(message);
  });
});

describe("flash.mjs", () => {
  const flash = (...args) => promisify(execFile)(process.execPath, [FLASH, ...args], { env: { PATH: "" } });

  it("prints the command and runs nothing with --dry-run", async () => {
    const { stdout } = await flash("arduino-uno", "absent.hex", "--port", "/dev/x", "--dry-run");
    expect(stdout).toBe("avrdude -p m328p -c arduino -P /dev/x -b 115200 -D -U flash:w:absent.hex:i\n");
  });

  it("says what to do about a missing tool, image or drive", async () => {
    const image = join(dir, "some.hex");
    writeFileSync(image, ":00000001FF\n");
    await expect(flash("arduino-uno", image, "--port", "/dev/x")).rejects.toThrow(/Do: apt-get install avrdude/);
    await expect(flash("arduino-uno", "absent.hex", "--port", "/dev/x")).rejects.toThrow(/Do: build the firmware/);
    await expect(flash("microbit", image, "--volume", join(dir, "no-drive"))).rejects.toThrow(/boot loader/);
    await expect(flash()).rejects.toThrow(/a board and an image are needed/);
  });

  it("copies an image to the drive that a board shows", async () => {
    const image = join(dir, "firmware.uf2");
    writeFileSync(image, "UF2\n");
    await flash("rpi-pico-w", image, "--tool", "copy", "--volume", dir);
    expect(readFileSync(join(dir, "tidegate.uf2"), "utf8")).toBe("UF2\n");
  });
});

describe("the header of a credential", () => {
  const ca = "-----BEGIN CERTIFICATE-----\nMIIB\nAA==\n-----END CERTIFICATE-----\n";
  const issued = { deviceId: "uno-1", token: "tg_a-b_c", url: "wss://attic-pi.local:8443/v1/device", ca };

  it("says who the board is, where its gateway is and whom to trust", () => {
    const header = credentialHeader(JSON.stringify(issued), "192.168.1.10");
    for (const line of ['TIDEGATE_ID "uno-1"', 'TIDEGATE_TOKEN "tg_a-b_c"', 'TIDEGATE_PORT "8443"']) {
      expect(header).toContain(`#define ${line}\n`);
    }
    expect(header).toContain('#define TIDEGATE_HOST "192.168.1.10"\n');
    const program = join(dir, "header.c");
    writeFileSync(join(dir, "secrets.h"), header);
    writeFileSync(
      program,
      '#include <stdio.h>\n#include "secrets.h"\nint main(void) { fputs(TIDEGATE_CA, stdout); }\n',
    );
    if (requires("gcc").isAvailable) {
      execFileSync("gcc", [program, "-o", join(dir, "header")]);
      expect(execFileSync(join(dir, "header"), { encoding: "utf8" })).toBe(ca);
    }
  });

  it.each([
    ["deviceId", 'a"b'],
    ["token", 'x";system("rm")//'],
    ["token", undefined],
    ["url", "http://attic-pi/"],
    ["ca", `${ca}\\"`],
  ])("takes no %s that would be something else in C: %s", (key, value) => {
    expect(() => credentialHeader(JSON.stringify({ ...issued, [key]: value }))).toThrow(key);
  });
});

const withUno = requires("gcc", "avr-gcc", "simavr", "avrdude", `${AVR}/boards.txt`);
withUno.describe("an emulated Uno with its boot loader", () => {
  let board;
  let port = "";

  beforeAll(async () => {
    const sources = inRoot("hardware/flash/testing/emulated-uno.c");
    const program = join(dir, "emulated-uno");
    execFileSync("gcc", ["-std=gnu99", "-O2", sources, "-o", program, "-lsimavr", "-lelf"]);
    board = spawn(program, [`${AVR}/bootloaders/optiboot/optiboot_atmega328.hex`], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    port = await new Promise((resolve) => board.stdout.once("data", (text) => resolve(String(text).trim())));
  }, RUN_TIMEOUT_MS);
  afterAll(() => board.kill());

  withUno.it(
    "is written by avrdude, verified, and then says Hello with the identity it was given",
    async () => {
      const secrets = join(dir, "uno-secrets.h");
      writeFileSync(secrets, '#define TIDEGATE_ID "flashed-1"\n#define TIDEGATE_TOKEN "tg_flashed"\n');
      const sketch = inRoot("device-sdk/c/port/arduino/examples/UnoThermometer");
      const build = [inRoot("scripts/arduino-build.mjs"), sketch, "--secrets", secrets, "--out", join(dir, "uno")];
      const run = promisify(execFile);
      await run(process.execPath, build);
      const image = join(dir, "uno", "UnoThermometer.hex");
      const { stderr } = await run(process.execPath, [FLASH, "arduino-uno", image, "--port", `net:127.0.0.1:${port}`]);
      expect(stderr).toMatch(/bytes of flash verified/);
      // Opening the port resets the board; its boot loader waits a second before it starts the sketch.
      const hello = await new Promise((resolve, reject) => {
        const decoder = new StreamDecoder();
        const line = connect(Number(port), "127.0.0.1");
        line.on("error", reject);
        line.on("data", (chunk) => {
          for (const message of decoder.push(chunk)) {
            const decoded = decodeUplink(message);
            if (!decoded.ok || decoded.value.body?.kind !== "hello") continue;
            line.destroy();
            resolve(decoded.value.body.hello);
          }
        });
      });
      expect(hello).toMatchObject({ deviceId: "flashed-1", model: "arduino-uno" });
      expect(Buffer.from(hello.proof).toString()).toBe("tg_flashed");
    },
    RUN_TIMEOUT_MS,
  );
});
