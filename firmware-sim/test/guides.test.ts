/**
 * The guides for newcomers, typed as they stand there: every command of their console blocks is run in order, or is on the
 * list of what cannot be run here and why. A command that is in neither fails, so a guide cannot promise untested things.
 *
 *   docs/guides/first-sensor-arduino-uno.md    an emulated ATmega328P is the board
 *   docs/guides/first-sensor-esp32.md          the same layers on Linux are the board
 *   docs/guides/raspberry-pi.md                a running gateway; what needs root or a Pi is on the list
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, expect, it } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { Child, until } from "../src/rehearse/child.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUN_TIMEOUT_MS = 180_000;
const COMMAND_TIMEOUT_MS = 60_000;
const BOARDS_TXT = "/usr/share/arduino/hardware/arduino/avr/boards.txt";
const MBEDTLS = "/usr/include/mbedtls/ssl.h";

const dir = mkdtempSync(join(tmpdir(), "tidegate-guides-"));
const children: Child[] = [];
const sites: TestGateway[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) await child.stop();
  for (const site of sites.splice(0)) await site.end();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The lines after `$ ` in the console blocks of a guide. */
function commandsOf(guide: string): string[] {
  const text = readFileSync(join(ROOT, "docs", "guides", guide), "utf8");
  return [...text.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    [...block.matchAll(/^\$ (.*)$/gm)].map(([, command = ""]) => command),
  );
}

interface Reader {
  /** Where the reader's files go, and whose gateway it is. */
  readonly site: TestGateway;
  /** Text of the guide, and what stands for it here. */
  readonly stands: readonly (readonly [string, string])[];
}

/** Not synchronously: the API's connections have to be seen closing meanwhile. */
const run = promisify(execFile);

/** Types one command, in the folder of the repository, as the guide says. */
async function type(command: string, { site, stands }: Reader): Promise<string> {
  const here = stands.reduce((line, [from, to]) => line.replaceAll(from, to), command);
  const line = here.replace(/^(npx )?tidegate /, `node ${join(ROOT, "gateway", "bin", "tidegate.js")} `);
  const env = { ...process.env, TIDEGATE_CONFIG: site.gateway.configFile, NO_COLOR: "1", USER: "reader" };
  const running = run("bash", ["-c", line], { cwd: ROOT, env, timeout: COMMAND_TIMEOUT_MS });
  running.child.stdin?.end();
  return (await running).stdout;
}

/** False also while the gateway is away: the first call may still take a connection to the one that was stopped. */
function isOnline(site: TestGateway, device: string): Promise<boolean> {
  const answer = site.gateway.call("GET", `/api/v1/devices/${device}`);
  return answer.then(({ body }) => body.online === true).catch(() => false);
}

/** What a guide may ask for that no test here types, and what does instead. */
const NOT_TYPED: readonly (readonly [RegExp, string])[] = [
  [/^npm start/, "scripts/smoke.mjs, in a fresh clone"],
  [/^sudo apt-get install/, "scripts/apt-packages.txt, which CI installs"],
  [/^cd device-sdk\/c\/port\/esp-idf/, "no ESP-IDF here"],
  [/^idf\.py /, "no ESP-IDF here"],
  [/^ssh /, "no Pi here"],
  [/^node scripts\/package-deb\.mjs/, "scripts/package-deb.test.mjs builds it"],
  [/^sudo apt install \.\/dist\//, "scripts/package-deb.test.mjs, below a folder"],
  [/^npm run build && sudo node scripts\/install-service\.mjs/, "scripts/install-service.test.mjs, below a folder"],
  [/^sudo (usermod|systemctl) /, "wants root, and a systemd"],
];
const isTyped = (command: string): boolean => !NOT_TYPED.some(([pattern]) => pattern.test(command));

const withArduino = requires("gcc", "make", "avr-gcc", "simavr", "avrdude", BOARDS_TXT);
withArduino.it(
  "the guide for an Arduino Uno leads to a reading and an obeyed command",
  async () => {
    const site = await startGateway();
    sites.push(site);
    const line = join(dir, "uno.sock");
    const runner = join(dir, "runner");
    mkdirSync(runner);
    await run("make", ["-C", join(ROOT, "firmware-sim", "firmware"), `BUILD=${runner}`, "runner"]);
    const reader: Reader = {
      site,
      stands: [
        ["uno-1.json", join(dir, "uno-1.json")],
        ["secrets.h", join(dir, "secrets.h")],
        ["build/uno", join(dir, "uno")],
        ["identify /dev/ttyACM0", `identify unix:${line}`],
        // The board itself is not here; writing one is tested in hardware/flash.
        ["--port /dev/ttyACM0", "--port /dev/ttyACM0 --dry-run"],
      ],
    };
    const said = new Map<string, string>();
    for (const command of commandsOf("first-sensor-arduino-uno.md").filter(isTyped)) {
      if (command.includes("serial identify")) {
        const elf = join(dir, "uno", "UnoThermometer.elf");
        children.push(new Child(join(runner, "run-avr"), ["atmega328p", elf, line, "none", "--listen", "1"]));
        await until("the board is there", () => existsSync(line));
      }
      if (command.includes("device ls")) {
        site.gateway.configure({ serial: [{ path: `unix:${line}` }] });
        await site.gateway.stop();
        await site.gateway.start();
        await until("the board is online", () => isOnline(site, "uno-1"));
      }
      said.set(command.split(" ").slice(0, 4).join(" "), await type(command, reader));
    }
    expect(said.get("node hardware/flash/flash.mjs arduino-uno build/uno/UnoThermometer.hex")).toMatch(
      /^avrdude -p m328p/,
    );
    expect(said.get("npx tidegate serial identify")).toMatch(/uno-1[\s\S]*arduino-uno/);
    expect(said.get("npx tidegate device ls")).toContain("uno-1");
    expect(said.get("npx tidegate watch 'uno-1/*'")).toMatch(/temperature/);
    expect(said.get("npx tidegate send uno-1")).toMatch(/succeeded/);
    expect(said.has("npx tidegate gaps ls")).toBe(true);
  },
  RUN_TIMEOUT_MS,
);

const withTls = requires("gcc", "make", MBEDTLS);
withTls.it(
  "the guide for an ESP32 leads there too, with the same layers on Linux in place of the board",
  async () => {
    const site = await startGateway();
    sites.push(site);
    const [json, header] = [join(dir, "esp-1.json"), join(dir, "esp", "secrets.h")];
    mkdirSync(dirname(header));
    const reader: Reader = {
      site,
      stands: [
        ["esp-1.json", json],
        ["device-sdk/c/port/esp-idf/examples/thermometer/main/secrets.h", header],
        ["--host 192.168.1.10", "--host 127.0.0.1"],
      ],
    };
    const said = new Map<string, string>();
    for (const command of commandsOf("first-sensor-esp32.md").filter(isTyped)) {
      if (command.includes("device ls")) {
        const { deviceId, token, ca } = JSON.parse(readFileSync(json, "utf8"));
        const fact = (name: string): string =>
          new RegExp(`${name} "(.*)"`).exec(readFileSync(header, "utf8"))?.[1] ?? "";
        expect(fact("TIDEGATE_ID")).toBe(deviceId);
        expect(fact("TIDEGATE_TOKEN")).toBe(token);
        writeFileSync(join(dir, "ca.pem"), ca);
        const sdk = join(ROOT, "device-sdk", "c");
        await run("make", ["-C", sdk, `BUILD=${dir}`, "demo-tls"], { env: { ...process.env, MAKEFLAGS: "" } });
        const wss = ["--wss", fact("TIDEGATE_HOST"), fact("TIDEGATE_PORT"), "--ca", join(dir, "ca.pem")];
        const args = ["--id", deviceId, ...wss, "--fragment", "2048", "--interval-ms", "200"];
        const env = { ...process.env, TIDEGATE_TOKEN: token };
        children.push(new Child(join(dir, "native-demo-tls"), args, { env }));
        await until("the device is online", () => isOnline(site, "esp-1"));
        const stubs = ["-I", "test/stubs/esp-idf", "-I", "include", "-I", "port/esp-idf", "-I", dirname(header)];
        const main = "port/esp-idf/examples/thermometer/main/main.c";
        await run("gcc", ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", ...stubs, main], { cwd: sdk });
      }
      said.set(command.split(" ").slice(0, 4).join(" "), await type(command, reader));
    }
    expect(said.get("npx tidegate device ls")).toContain("esp-1");
    expect(said.get("npx tidegate watch 'esp-1/*'")).toMatch(/temperature/);
    expect(said.get("npx tidegate send esp-1")).toMatch(/succeeded/);
  },
  RUN_TIMEOUT_MS,
);

it(
  "the guide for a Raspberry Pi leads to a gateway with a password, a healthy look and a copy of it",
  async () => {
    const site = await startGateway();
    sites.push(site);
    const reader: Reader = {
      site,
      stands: [
        ["/var/lib/tidegate", site.dir],
        ["admin password", "admin password <<< 'a tide turns twice a day'"],
        ["attic.tar", join(dir, "attic.tar")],
      ],
    };
    const said = new Map<string, string>();
    for (const command of commandsOf("raspberry-pi.md").filter(isTyped)) said.set(command, await type(command, reader));
    expect(said.get("node scripts/install-service.mjs --dry-run")).toContain("/opt/tidegate");
    expect(said.get("tidegate status")).toContain("devices");
    expect(said.get("tidegate doctor")).toMatch(/clock/);
    expect(said.get("tidegate admin login")).toMatch(/http:\/\/127\.0\.0\.1/);
    expect(said.get("tidegate config check")).toBeDefined();
    expect(existsSync(join(dir, "attic.tar"))).toBe(true);
  },
  RUN_TIMEOUT_MS,
);
