// The check of `hardware/` passes what is there, and sees each kind of mistake in a copy of it.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkHardware } from "./hardware-check.mjs";
import { ROOT } from "./workspace/report.mjs";

/** What the check reads besides `hardware/`; folders need only exist. */
const EVIDENCE = [
  "device-sdk/c/SIZE.md",
  "firmware-sim/firmware/emulated.test.ts",
  "firmware-sim/firmware/Makefile",
  "gateway/src/cli/usb-boards.ts",
];
const PORTS = ["device-sdk/c/port/baremetal", "device-sdk/c/port/esp-idf", "device-sdk/ts"];

describe("hardware-check", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "tidegate-hardware-"));
    cpSync(join(ROOT, "hardware"), join(root, "hardware"), { recursive: true });
    for (const port of PORTS) mkdirSync(join(root, port), { recursive: true });
    for (const file of EVIDENCE) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      cpSync(join(ROOT, file), join(root, file));
    }
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Replaces one text in the copy; it must be there, or the test would prove nothing. */
  function change(path, from, to) {
    const before = readFileSync(join(root, path), "utf8");
    expect(before).toContain(from);
    writeFileSync(join(root, path), before.replace(from, to));
  }

  it("passes what is in the repository", () => {
    expect(checkHardware()).toEqual([]);
    expect(checkHardware(root)).toEqual([]);
  });

  it.each([
    ["a key that nobody knows", "led: D13", "light: D13", "Unrecognized key"],
    ["a USB number that YAML reads as a number", 'vid: "2341"', "vid: 2341", "usb.0.vid"],
    ["a speed that no port has", "baud: 115200", "baud: 115201", "link.baud"],
    ["a claim of having run on the board", "ranHere: emulator", "ranHere: board", "ranHere"],
    ["an image that nobody makes", "image: atmega328p.elf", "image: atmega999.elf", "does not make"],
    [
      "an identity where simavr has none",
      "machine: atmega328p",
      'machine: atmega328p\n  identityAt: "0x20000000"',
      "only there",
    ],
    ["an emulator for what ran nowhere", "ranHere: emulator", 'ranHere: "no"', "only there"],
    ["an emulated machine that no test runs", "machine: atmega328p", "machine: atmega8", "never names atmega8"],
    ["a test that is not there", "emulated.test.ts", "imagined.test.ts", "is not there"],
    ["a port that is not there", "port/baremetal", "port/arduino", "port/arduino is not there"],
    ["a number that was not measured", "flashBytes: ", "flashBytes: 1", "SIZE.md says "],
    ["a chip that was not measured", "target: ATmega328P", "target: ATmega8", "no row ATmega8"],
    ["a pin twice", "name: D0", "name: D1", "a pin is listed twice"],
    ["an id that is not the file's name", "id: arduino-uno", "id: uno", "must be the name of the file"],
    ["broken YAML", "roles: [device]", "roles: [device", "arduino-uno.yaml: "],
  ])("sees %s in a board file", (_, from, to, message) => {
    change("hardware/boards/arduino-uno.yaml", from, to);
    expect(checkHardware(root).join("\n")).toContain(message);
  });

  it.each([
    ["wiring/uno-serial.md", "| `A0` |", "| `A9` |", "has no pin A9"],
    ["wiring/uno-serial.md", "## Voltage", "## Fun", 'lacks "## Voltage"'],
    ["wiring/uno-serial.md", "Not run on the real thing", "Works", 'lacks "Not run on the real thing"'],
    ["wiring/uno-serial.md", "../boards/arduino-uno.yaml", "../boards/arduino.yaml", "links no file"],
    ["bom/kits.csv", "uno-serial,arduino-uno", "uno-serial,arduino", "there is no board arduino"],
    ["bom/kits.csv", "analog; 10 mV", "analog, 10 mV", "has 9 cells"],
    ["udev/60-tidegate-serial.rules", 'idProduct}=="0042"', 'idProduct}=="0099"', "no board file has 2341:0099"],
    ["udev/60-tidegate-serial.rules", 'MODE="0660"', "MODE=0660", "not a udev rule: MODE=0660"],
    ["README.md", "[arduino-uno](boards/arduino-uno.yaml)", "arduino-uno", "no row for arduino-uno"],
    ["README.md", "(ATmega328P) | emulator |", "(ATmega328P) | no |", 'says "no" for arduino-uno'],
  ])("sees a mistake in %s: %s becomes %s", (file, from, to, message) => {
    change(`hardware/${file}`, from, to);
    expect(checkHardware(root).join("\n")).toContain(message);
  });

  it("says only what is wrong with a board file, not what follows from it", () => {
    change("hardware/boards/arduino-uno.yaml", "logicVolts: 5", "logicVolts: 50");
    expect(checkHardware(root)).toEqual([expect.stringMatching(/^hardware\/boards\/arduino-uno\.yaml: logicVolts: /)]);
  });

  it("asks for a rule and a row for every new board", () => {
    const text = readFileSync(join(root, "hardware/boards/arduino-uno.yaml"), "utf8");
    const copy = text.replace("id: arduino-uno", "id: leonardo").replaceAll("0043", "8036");
    writeFileSync(join(root, "hardware/boards/leonardo.yaml"), copy);
    const problems = checkHardware(root).join("\n");
    expect(problems).toContain("has no rule for 2341:8036 leonardo");
    expect(problems).toContain("usb-boards.ts: has no line for 2341:8036 leonardo");
    expect(problems).toContain("the matrix has no row for leonardo");
  });
});
