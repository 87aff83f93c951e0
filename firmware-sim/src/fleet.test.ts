/** Fleets on the real SDK over real wss, against a small gateway in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "@tidegate/device-sdk";
import { CommandState } from "@tidegate/proto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_FAULTS } from "./faults/schedule.js";
import { SIGNALS } from "./greenhouse.js";
import { type LaunchedFleet, type LaunchOptions, launch } from "./launch.js";
import type { LedgerEntry } from "./ledger.js";
import { FakeGateway, type Stored } from "./testing/fake-gateway.js";

/** The system's clock, and how many of its timers wait. */
class CountingClock extends SystemClock {
  timers = 0;

  override after(afterMs: number, fn: () => void): () => void {
    this.timers++;
    let isWaiting = true;
    const done = (): void => {
      if (isWaiting) this.timers--;
      isWaiting = false;
    };
    const cancel = super.after(afterMs, () => {
      done();
      fn();
    });
    return () => {
      done();
      cancel();
    };
  }
}

const IDS = ["sim-1", "sim-2", "sim-3", "sim-4", "sim-5"];

describe("fleet", () => {
  let gateway: FakeGateway;
  let launched: LaunchedFleet | null = null;
  let entries: (LedgerEntry & { device: string })[] = [];
  let troubles: string[] = [];
  let dir: string;

  const start = async (options: Partial<LaunchOptions> = {}): Promise<LaunchedFleet> => {
    const credentials = IDS.map((deviceId) => ({ deviceId, token: "t", url: gateway.devicesUrl, ca: gateway.ca }));
    launched = await launch({
      clock: new SystemClock(),
      connectsPerS: 200,
      onTrouble: (detail) => troubles.push(detail),
      onReady: () => {},
      credentials,
      devicesUrl: null,
      seed: 1,
      intervalMs: 25,
      plan: NO_FAULTS,
      clockSkewMs: null,
      slowLinkBytesPerS: null,
      outboxDir: null,
      ledger: { write: (device, entry) => entries.push({ device, ...entry }) },
      ...options,
    });
    return launched;
  };
  const stop = async (): Promise<void> => {
    await launched?.stop(2_000);
    launched = null;
  };
  const storedOf = (device: string): Stored[] => gateway.stored.filter((message) => message.device === device);
  const waitFor = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 15_000, interval: 20 });

  beforeEach(async () => {
    gateway = await FakeGateway.start();
    dir = mkdtempSync(join(tmpdir(), "sim-fleet-"));
    entries = [];
    troubles = [];
  });
  afterEach(async () => {
    await stop();
    await gateway.close();
    rmSync(dir, { recursive: true });
  });

  it("brings five devices online, and what was sent, acked and stored agrees in the end", async () => {
    const { fleet } = await start();
    await waitFor(() => {
      expect(fleet.online).toBe(5);
      for (const id of IDS) expect(storedOf(id).length).toBeGreaterThan(5);
    });
    await stop();
    const { sent, acked, buffered, dropped, lostByReboot } = fleet.tally;
    expect([acked, buffered, dropped, lostByReboot]).toEqual([sent, 0, 0, 0]);
    expect(gateway.stored).toHaveLength(sent);
    expect(entries.filter(({ e }) => e === "attempt")).toHaveLength(sent);
    await waitFor(() => expect(gateway.byes).toBe(5));
    expect(troubles).toEqual([]);
  });

  it("declares its signals in the order the ledger takes them in", async () => {
    await start();
    await waitFor(() => expect(storedOf("sim-1").some(({ body }) => body?.kind === "catalog")).toBe(true));
    const body = storedOf("sim-1").find((message) => message.body?.kind === "catalog")?.body;
    const signals = body?.kind === "catalog" ? body.catalog.signals : [];
    expect(signals.map(({ id, key }) => [id, key])).toEqual(SIGNALS.map(({ key }, index) => [index + 1, key]));
    const digits = Object.fromEntries(signals.map(({ key, scale }) => [key, -scale]));
    for (const { key, digits: expected } of SIGNALS) expect(digits[key] === 0 || digits[key] === expected).toBe(true);
    expect(signals.find(({ key }) => key === "temperature")).toMatchObject({ unit: "°C", deviceClass: "temperature" });
  });

  it("obeys pump, setpoint and identify, answers in JSON, and refuses arguments that make no sense", async () => {
    await start();
    await waitFor(() => expect(storedOf("sim-2").length).toBeGreaterThan(1));
    const calls = [
      { id: 1, name: "pump", args: { on: true } },
      { id: 2, name: "setpoint", args: { celsius: 21.5 } },
      { id: 3, name: "identify", args: {} },
      { id: 4, name: "pump", args: null },
      { id: 5, name: "setpoint", args: { celsius: 900 } },
    ];
    for (const call of calls) gateway.command("sim-2", call);
    const final = (id: number) =>
      gateway.updates("sim-2").find((update) => update.id === id && update.state >= CommandState.SUCCEEDED);
    await waitFor(() => expect(calls.every(({ id }) => final(id) !== undefined)).toBe(true));
    const result = (id: number): unknown => JSON.parse(Buffer.from(final(id)?.result ?? []).toString("utf8"));
    expect([result(1), result(2), result(3)]).toEqual([{ on: true }, { celsius: 21.5 }, { blinked: 3 }]);
    for (const id of [4, 5]) expect(final(id)).toMatchObject({ state: CommandState.FAILED });
    expect(final(4)?.error).toContain('send {"on":true}');
    expect(entries.filter(({ e }) => e === "command")).toHaveLength(3);
  });

  it("a reboot loses what was in RAM, says how much, and comes back under a new epoch", async () => {
    const { fleet } = await start();
    const device = fleet.devices[0];
    await waitFor(() => expect(storedOf("sim-1").length).toBeGreaterThan(2));
    gateway.isAcking = false;
    await waitFor(() => expect(device?.tally.buffered).toBeGreaterThan(3));
    await device?.reboot(50);
    gateway.isAcking = true;
    expect(device?.losses).toEqual([
      expect.objectContaining({ device: "sim-1", messages: device?.tally.lostByReboot }),
    ]);
    expect(device?.tally.lostByReboot).toBeGreaterThan(3);
    await waitFor(() => expect(new Set(storedOf("sim-1").map(({ epoch }) => epoch)).size).toBe(2));
    await stop();
    const { sent, acked, buffered, lostByReboot } = device?.tally ?? fleet.tally;
    expect(buffered).toBe(0);
    expect(acked).toBeLessThanOrEqual(sent);
    expect(sent).toBeLessThanOrEqual(acked + lostByReboot);
  });

  it("a persistent device gives what its file kept after a reboot, and counts only the rest as lost", async () => {
    const { fleet } = await start({ outboxDir: dir });
    const device = fleet.devices[0];
    await waitFor(() => expect(storedOf("sim-1").length).toBeGreaterThan(2));
    gateway.isAcking = false;
    const before = device?.tally.buffered ?? 0;
    // Long enough for one save of the outbox, which happens every second.
    await waitFor(() => expect(device?.tally.buffered).toBeGreaterThan(before + 60));
    const buffered = device?.tally.buffered ?? 0;
    await device?.reboot(50);
    gateway.isAcking = true;
    await waitFor(() =>
      expect(gateway.hellos.some(({ deviceId, closing }) => deviceId === "sim-1" && closing)).toBe(true),
    );
    expect(device?.tally.lostByReboot).toBeLessThan(buffered);
    await waitFor(() => expect(new Set(storedOf("sim-1").map(({ epoch }) => epoch)).size).toBe(2));
    expect(troubles).toEqual([]);
  });

  it("survives dropped links: everything arrives once, in order, the goodbye included", async () => {
    const { fleet, faultCounts } = await start({ plan: { ...NO_FAULTS, dropLinkEveryMs: 1_200 } });
    await waitFor(() => expect(faultCounts()["drop-link"]).toBeGreaterThan(5));
    await waitFor(() => expect(fleet.tally.reconnects).toBeGreaterThan(3));
    await stop();
    await waitFor(() => expect(gateway.byes).toBeGreaterThan(0));
    for (const id of IDS) {
      const seqs = storedOf(id).map(({ seq }) => seq);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
    }
    const acked = entries.filter(({ e }) => e === "acked").length;
    expect(acked).toBeGreaterThan(0);
  });

  it("goes through slow lines and lets uptimes wrap and clocks be wrong", async () => {
    await start({ slowLinkBytesPerS: 40_000, clockSkewMs: 3_600_000, intervalMs: 200 });
    await waitFor(() => {
      for (const id of IDS) expect(storedOf(id).length).toBeGreaterThan(3);
    });
    const uptimes = gateway.hellos.map(({ uptimeMs }) => uptimeMs);
    expect(uptimes.some((uptimeMs) => uptimeMs > 2 ** 32 - 60_000)).toBe(true);
    expect(uptimes.some((uptimeMs) => uptimeMs < 60_000)).toBe(true);
  });

  it("leaves nothing running after it was stopped, also while devices are off or never came online", async () => {
    const clock = new CountingClock();
    const { fleet } = await start({ plan: { ...NO_FAULTS, dropLinkEveryMs: 60_000 }, connectsPerS: 2, clock });
    await waitFor(() => expect(fleet.online).toBeGreaterThan(0));
    void fleet.devices[0]?.reboot(60_000);
    await stop();
    const states = fleet.devices.map(({ state }) => state);
    expect(states.every((state) => state === "stopped" || state === "off")).toBe(true);
    expect(clock.timers).toBe(0);
    await waitFor(() => expect(gateway.sessions.size).toBe(0));
  });
});
