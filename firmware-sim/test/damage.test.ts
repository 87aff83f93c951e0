/** Files of a real gateway torn, rotten, missing, empty: it starts again, delivers nothing altered, and lists what it cannot prove. */
import { copyFileSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../src/rehearse/child.js";
import type { Credential } from "../src/rehearse/gateway-process.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";
import { RawDevice } from "./raw-device.js";

const COUNT = 50;
const TIMEOUT_MS = 400_000;

let bench: TestGateway;
let credential: Credential;
let epoch = 0;

const file = (name: string): string => join(bench.gateway.dataDir, name);
const ackOf = (device: RawDevice) => device.heard.filter((m) => m.kind === "ack").at(-1)?.ack.seq ?? 0;
const asideCount = () => readdirSync(bench.gateway.dataDir).filter((name) => name.includes(".corrupt-")).length;

async function gaps(): Promise<{ device: string; reason: string; fromSeq: number; toSeq: number | null }[]> {
  return (await bench.gateway.call("GET", "/api/v1/gaps")).body.gaps;
}

/** Have everything stored read: damage is found by those who read. @returns stop looking */
async function look(): Promise<() => void> {
  const { storeId } = (await bench.gateway.call("GET", "/api/v1/status")).body;
  const leave = new AbortController();
  const feed = await fetch(`${bench.gateway.adminUrl}/api/v1/live/sse?after=0&store=${storeId}`, {
    headers: { authorization: `Bearer ${bench.gateway.adminToken}` },
    signal: leave.signal,
  });
  await feed.body?.getReader().read(); // the greeting; what is stored follows
  return () => leave.abort();
}

/** Log lines, because their text is easily found in a file. */
async function store(count: number): Promise<void> {
  const device = new RawDevice(credential);
  epoch = (await device.greet()).epoch;
  for (let seq = 1; seq <= count; seq++) {
    device.say({ kind: "log", log: { uptimeMs: 1_000, level: 6, text: `needle-${seq}-in-the-haystack` } }, seq);
  }
  await until("everything is acked", () => ackOf(device) === count);
  device.end();
}

/** The device comes back and says what it was told before. @returns up to where the gateway can prove it */
async function comeBack(): Promise<number> {
  const device = new RawDevice(credential);
  const numbers = { epoch, nextSeq: COUNT + 1, oldest: COUNT + 1, ackedSeq: COUNT };
  const welcome = await device.greet(numbers);
  device.telemetry(welcome.epoch === epoch ? COUNT + 1 : 1, 1);
  await until("the next reading is acked", () => ackOf(device) >= (welcome.epoch === epoch ? COUNT + 1 : 1));
  device.end();
  return welcome.ackedSeq;
}

beforeEach(async () => {
  bench = await startGateway();
  credential = await bench.gateway.addDevice("attic-7");
  await store(COUNT);
}, TIMEOUT_MS);
afterEach(() => bench.end());

describe("a gateway that starts on", { timeout: TIMEOUT_MS }, () => {
  it("a torn WAL takes what is whole, and lists what it had acked and cannot prove", async () => {
    await bench.gateway.kill();
    truncateSync(file("spool.db-wal"), Math.floor(readFileSync(file("spool.db-wal")).length / 2));
    await bench.gateway.start();
    expect(await comeBack()).toBeGreaterThanOrEqual(COUNT);
    // Nothing is silently gone: what was acked and is not there any more is on the list.
    expect((await gaps()).map(({ reason }) => reason)).toContain("unproven");
  });

  it("a record that rotted never shows it altered: it is in quarantine, and a gap says so", async () => {
    await bench.gateway.stop();
    const bytes = readFileSync(file("spool.db"));
    const at = bytes.indexOf("needle-17-in");
    expect(at).toBeGreaterThan(0);
    bytes.write("NEEDLE", at);
    writeFileSync(file("spool.db"), bytes);
    await bench.gateway.start();
    const leave = await look();
    const isListed = async () => (await gaps()).some((gap) => gap.reason === "quarantined" && gap.fromSeq === 17);
    await until("the damaged record is on the list", isListed);
    leave();
    expect((await gaps()).filter(({ reason }) => reason === "quarantined")).toHaveLength(1);
    expect(await comeBack()).toBe(COUNT);
  });

  it("a spool that is no database moves it aside, keeps it, and says that nothing before is proven", async () => {
    await bench.gateway.kill();
    // With its WAL beside it, it would be put together again from that.
    for (const suffix of ["-wal", "-shm"]) rmSync(file(`spool.db${suffix}`), { force: true });
    writeFileSync(file("spool.db"), Buffer.alloc(64 * 1024, "rot"));
    await bench.gateway.start();
    expect(asideCount()).toBeGreaterThan(0);
    expect((await gaps()).map(({ reason }) => reason)).toContain("unproven");
    expect(await comeBack()).toBeGreaterThanOrEqual(COUNT);
  });

  for (const [what, spoil] of [
    ["a missing spool", () => rmSync(file("spool.db"))],
    ["an empty spool", () => truncateSync(file("spool.db"), 0)],
  ] as const) {
    it(`${what} begins again and says that nothing before is proven`, async () => {
      await bench.gateway.stop();
      spoil();
      await bench.gateway.start();
      expect(await gaps()).toMatchObject([{ device: "attic-7", reason: "unproven" }]);
      expect(await comeBack()).toBeGreaterThanOrEqual(COUNT);
    });
  }

  it("emptied credentials denies everybody: it allows nobody", async () => {
    await bench.gateway.stop();
    for (const suffix of ["", "-wal", "-shm"]) rmSync(file(`identity.db${suffix}`), { force: true });
    writeFileSync(file("identity.db"), "");
    await bench.gateway.start();
    const device = new RawDevice(credential);
    await expect(device.opened).rejects.toThrow();
    expect(device.refusedWith).toBe(401);
  });

  it("an empty admin token or an empty configuration ends with what to do, and opens nothing", async () => {
    await bench.gateway.stop();
    copyFileSync(file("admin.token"), file("kept.token"));
    writeFileSync(file("admin.token"), "");
    await expect(bench.gateway.start()).rejects.toThrow(/admin\.token is empty, so nobody may use the API/);
    copyFileSync(file("kept.token"), file("admin.token"));
    const config = readFileSync(bench.gateway.configFile, "utf8");
    writeFileSync(bench.gateway.configFile, "");
    await expect(bench.gateway.start()).rejects.toThrow(/the file is empty/);
    writeFileSync(bench.gateway.configFile, config);
    await bench.gateway.start();
    expect(await comeBack()).toBe(COUNT);
  });
});
