/** The command line of `run`: quantities, defaults, where the gateway is, and what each mistake is told. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseBytesPerS, parseDurationMs } from "../quantity.js";
import { parseRun } from "./run-options.js";

describe("run options", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "sim-options-"));
    const facts = { url: "http://127.0.0.1:8080", devicesUrl: "wss://127.0.0.1:8443/v1/device", gatewayId: "attic" };
    writeFileSync(join(dir, "gateway.json"), JSON.stringify(facts));
    writeFileSync(join(dir, "admin.token"), "tga_secret\n");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("finds the gateway by its data folder, and has a default for everything else", () => {
    const options = parseRun({ dataDir: dir }, {});
    expect(options).toMatchObject({ devices: 3, seed: 1, intervalMs: 1_000, prefix: "sim", durationMs: null });
    expect(options.plan).toEqual({ dropLinkEveryMs: null, rebootEveryMs: null, halfOpenEveryMs: null });
    expect(options.gateway).toMatchObject({ token: "tga_secret", devicesUrl: "wss://127.0.0.1:8443/v1/device" });
    expect(options.credentialsDir).toBe(join(dir, "sim"));
  });

  it("takes faults with their units", () => {
    const raw = {
      dataDir: dir,
      dropLink: "30s",
      reboot: "1.5m",
      halfOpen: "45s",
      clockSkew: "1h",
      slowLink: "2000B/s",
    };
    const options = parseRun({ ...raw, rate: "4" }, {});
    expect(options.plan).toEqual({ dropLinkEveryMs: 30_000, rebootEveryMs: 90_000, halfOpenEveryMs: 45_000 });
    expect(options).toMatchObject({ clockSkewMs: 3_600_000, slowLinkBytesPerS: 2_000, intervalMs: 250 });
  });

  it("finds the gateway by the environment, as `tidegate sim` passes it on", () => {
    expect(parseRun({}, { TIDEGATE_DATA_DIR: dir }).gateway.gatewayId).toBe("attic");
    const env = { TIDEGATE_URL: "http://gateway.lan:8080", TIDEGATE_TOKEN_FILE: join(dir, "admin.token") };
    const remote = parseRun({}, env);
    expect(remote.gateway).toMatchObject({ gatewayId: "gateway.lan:8080", devicesUrl: null });
    expect(remote.credentialsDir).toBeNull();
    expect(parseRun({ dataDir: dir }, env).gateway.gatewayId).toBe("attic");
  });

  it("takes boards of several kinds, with bad lines; virtual devices only when they are asked for, too", () => {
    const raw = { dataDir: dir, board: "microbit,uno", boards: "4", byteErrors: "0.1%" };
    const options = parseRun(raw, {});
    expect(options.devices).toBe(0);
    expect(options.boards?.kinds.map(({ name, model }) => [name, model])).toEqual([
      ["microbit", "microbit"],
      ["uno", "atmega328p"],
    ]);
    expect(options.boards).toMatchObject({ perKind: 4, rates: { flipped: 0.001, lost: 0, inserted: 0 }, dataDir: dir });
    expect(parseRun({ ...raw, devices: "2" }, {}).devices).toBe(2);
  });

  it("keeps boards to a gateway on this machine: their lines are files", () => {
    const raw = { url: "http://gateway.lan:8080", tokenFile: join(dir, "admin.token"), board: "uno" };
    expect(() => parseRun(raw, {})).toThrow(/on this machine/);
  });

  it.each([
    [{ board: "esp32" }, 2, /no board/],
    [{ board: "uno", boards: "65" }, 2, /--boards/],
    [{ board: "uno,mega", boards: "40" }, 2, /80 boards/],
    [{ board: "uno", byteErrors: "1" }, 2, /--byte-errors/],
    [{ board: "uno", lostBytes: "50%" }, 2, /--lost-bytes/],
    [{ board: "uno", clockSkew: "1h" }, 2, /--clock-skew/],
    [{ board: "uno,ethernet", byteErrors: "1%" }, 2, /--board ethernet/],
    [{ boards: "4" }, 2, /--board/],
    [{ devices: "0" }, 2, /--devices/],
    [{ devices: "2.5" }, 2, /whole/],
    [{ rate: "fast" }, 2, /--rate/],
    [{ rate: "" }, 2, /--rate/],
    [{ prefix: "a/b" }, 2, /--prefix/],
    [{ dropLink: "30" }, 2, /--drop-link/],
    [{ dropLink: "0s" }, 2, /--drop-link/],
    [{ slowLink: "2000" }, 2, /--slow-link/],
    [{ duration: "-3s" }, 2, /--duration/],
    [{ url: "http://x" }, 2, /--token-file/],
    [{ url: "x", tokenFile: "admin.token" }, 2, /no address/],
    [{ dataDir: "nowhere" }, 3, /no gateway runs/],
  ])("refuses %j with exit code %i", (raw, exitCode, words) => {
    let thrown: unknown;
    try {
      parseRun({ dataDir: dir, ...raw }, {});
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ exitCode });
    const { what, why, fix } = thrown as { what: string; why: string; fix: string };
    expect(`${what} ${why} ${fix}`).toMatch(words);
  });

  it("refuses an empty token, which would mean nobody", () => {
    writeFileSync(join(dir, "admin.token"), "\n");
    expect(() => parseRun({ dataDir: dir }, {})).toThrow(/empty/);
  });

  it("refuses a gateway.json that was cut off, and one that is a folder", () => {
    writeFileSync(join(dir, "gateway.json"), '{"url":"http://127');
    expect(() => parseRun({ dataDir: dir }, {})).toThrow(/does not say/);
    rmSync(join(dir, "gateway.json"));
    mkdirSync(join(dir, "gateway.json"));
    expect(() => parseRun({ dataDir: dir }, {})).toThrow(/cannot be read/);
  });
});

describe("quantities", () => {
  it("knows its units", () => {
    expect(["250ms", "1.5s", "2m", "1h", "1d"].map((text) => parseDurationMs("--x", text))).toEqual([
      250, 1_500, 120_000, 3_600_000, 86_400_000,
    ]);
    expect(["2000B/s", "2kB/s", "1KiB/s", "0.5MiB/s"].map((text) => parseBytesPerS("--x", text))).toEqual([
      2_000, 2_000, 1_024, 524_288,
    ]);
  });

  it("refuses what it does not know", () => {
    for (const text of ["", "s", "1", "1 s", "1S", "1e3s", "9999999d", "NaNs"]) {
      expect(() => parseDurationMs("--x", text)).toThrow(/--x/);
    }
    for (const text of ["", "2000", "0B/s", "2kb/s", "B/s"]) expect(() => parseBytesPerS("--x", text)).toThrow(/--x/);
  });
});
