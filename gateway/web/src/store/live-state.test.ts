/** How messages of the live feed change what the page knows. */
import { describe, expect, it } from "vitest";
import type { CommandView, DeviceView, ReadingView, StatusView } from "../../../src/admin/api-schemas.js";
import { ageText, bytesText, countText, hoursText, untilText, valueText } from "../format.js";
import { describeState } from "../parts/command-words.js";
import { applyMessage, EMPTY, type LiveState, withCommands, withDevices, withPastRates } from "./live-state.js";

const reading = (signal: string, t: number, v: number): ReadingView => ({ signal, t, v, q: "good" });

function device(id: string, latest: ReadingView[] = []): DeviceView {
  return {
    id,
    name: "",
    online: true,
    presence: "online",
    lastSeen: "2026-04-01T12:00:00.000Z",
    connectedSince: null,
    remote: null,
    createdAt: null,
    revoked: false,
    firmware: "",
    model: "",
    sleepMs: 0,
    epoch: 1,
    ackedSeq: 0,
    signals: [],
    commands: [],
    latest,
  };
}

function command(commandId: string, state: CommandView["state"], updatedMs: number): CommandView {
  return {
    commandId,
    device: "a",
    name: "pump",
    args: null,
    delivery: "atLeastOnce",
    state,
    source: "dashboard",
    ttlMs: 60_000,
    transmissions: 0,
    createdAt: new Date(0).toISOString(),
    updatedAt: new Date(updatedMs).toISOString(),
    result: null,
    error: null,
    idempotencyKey: null,
  };
}

const status = (uptimeMs: number, acked: number) => ({ uptimeMs, acked }) as StatusView;
const two = (): LiveState => withDevices(EMPTY, [device("a"), device("b")]);
const event = (id: number, of: string, readings: ReadingView[]) => ({
  id,
  device: of,
  kind: "data" as const,
  receivedUnixMs: 0,
  readings,
});

describe("readings", () => {
  it("change their own device and leave every other one the same object", () => {
    const before = two();
    const after = applyMessage(before, { type: "events", id: 1, events: [event(1, "a", [reading("t", 5, 21)])] }, 9);
    expect(after.devices?.get("a")?.latest).toEqual([reading("t", 5, 21)]);
    expect(after.devices?.get("b")).toBe(before.devices?.get("b"));
    expect(after.heardUnixMs).toBe(9);
  });

  it("never go back in time, in the feed or when the list is fetched late", () => {
    const newer = applyMessage(two(), { type: "events", id: 1, events: [event(1, "a", [reading("t", 50, 2)])] }, 0);
    const late = applyMessage(newer, { type: "events", id: 2, events: [event(2, "a", [reading("t", 10, 1)])] }, 0);
    expect(late.devices?.get("a")?.latest).toEqual([reading("t", 50, 2)]);
    const fetched = withDevices(late, [device("a", [reading("t", 20, 1), reading("u", 1, 1)])]);
    expect(fetched.devices?.get("a")?.latest).toEqual([reading("t", 50, 2), reading("u", 1, 1)]);
    expect(fetched.devices?.has("b")).toBe(false);
  });

  it("of devices the page does not know change nothing", () => {
    const state = applyMessage(two(), { type: "events", id: 1, events: [event(1, "x", [reading("t", 1, 1)])] }, 0);
    expect([...(state.devices?.keys() ?? [])]).toEqual(["a", "b"]);
  });

  it("that were left out are admitted until everything was fetched again", () => {
    const conflated = applyMessage(two(), { type: "latest", id: 1, conflated: true, devices: [] }, 0);
    expect(conflated.conflated).toBe(true);
    expect(withDevices(conflated, [device("a")]).conflated).toBe(false);
  });
});

describe("the rest", () => {
  it("presence changes the device and keeps its last seen when none is told", () => {
    const change = {
      device: "a",
      online: false,
      presence: "offline",
      lastSeen: null,
      connectedSince: null,
      remote: null,
    } as const;
    const state = applyMessage(two(), { type: "presence", devices: [change] }, 0);
    expect(state.devices?.get("a")).toMatchObject({ online: false, lastSeen: "2026-04-01T12:00:00.000Z" });
  });

  it("the rate comes from two statuses, and from none across a restart", () => {
    const first = applyMessage(two(), { type: "status", status: status(1000, 100) }, 0);
    expect(first.ackedPerSecond).toBeNull();
    const second = applyMessage(first, { type: "status", status: status(3000, 300) }, 0);
    expect(second.ackedPerSecond).toBe(100);
    const restarted = applyMessage(second, { type: "status", status: status(500, 5) }, 0);
    expect(restarted.ackedPerSecond).toBeNull();
    expect(restarted.rates).toEqual([100, null]);
  });

  it("the rates from before the page come in front of its own, once each, and no more than five minutes of them", () => {
    const first = applyMessage(two(), { type: "status", status: status(1000, 100) }, 0);
    const own = applyMessage(first, { type: "status", status: status(3000, 300) }, 0);
    const past = withPastRates(EMPTY, [1, 2, 3]);
    expect(applyMessage(past, { type: "status", status: status(1000, 100) }, 0).rates).toEqual([1, 2, 3]);
    expect(withPastRates(own, [1, 2, 99]).rates).toEqual([1, 2, 100]);
    expect(withPastRates(own, []).rates).toEqual([100]);
    const many = withPastRates(
      own,
      Array.from({ length: 400 }, (_, i) => i),
    ).rates;
    expect([many.length, many.at(-2), many.at(-1)]).toEqual([150, 398, 100]);
  });

  it("a command never shows an older state over a newer one, and only the newest hundred are kept", () => {
    const held = withCommands(new Map(), [command("c1", "succeeded", 20)]);
    expect(withCommands(held, [command("c1", "sent", 10)]).get("c1")?.state).toBe("succeeded");
    const many = Array.from({ length: 150 }, (_, i) => ({
      ...command(`c${i}`, "queued", i),
      createdAt: new Date(i).toISOString(),
    }));
    expect(withCommands(new Map(), many).size).toBe(100);
    expect(withCommands(new Map(), many).has("c149")).toBe(true);
  });

  it("a command's state is told in words", () => {
    expect(describeState(command("c", "succeeded", 80))).toEqual({ words: "applied after 80 ms", tone: "good" });
    expect(describeState(command("c", "queued", 0)).tone).toBe("pending");
    expect(describeState(command("c", "unknown", 0)).tone).toBe("unsure");
  });

  it("numbers, ages and sizes are short", () => {
    expect([21.4, 21.399999618530273, 3, true, null, "open"].map(valueText)).toEqual([
      "21.4",
      "21.4",
      "3",
      "on",
      "–",
      "open",
    ]);
    expect([-5, 1000, 5000, 120_000, 7_200_000, 200_000_000].map(ageText)).toEqual([
      "now",
      "now",
      "5 s",
      "2 min",
      "2 h",
      "2 d",
    ]);
    expect([900, 5000].map(untilText)).toEqual(["now", "in 5 s"]);
    expect([0, 1023, 1024, 2 ** 31].map(bytesText)).toEqual(["0 B", "1023 B", "1.0 KiB", "2.0 GiB"]);
    expect([0.000123456, -0.5, 101325.43, 20.53361].map(valueText)).toEqual([
      "0.0001235",
      "-0.5",
      "101325.43",
      "20.534",
    ]);
    expect([31.9, 71, 1994].map(hoursText)).toEqual(["31 h", "71 h", "83 d"]);
    expect([0, 2.34, 1234567].map(countText)).toEqual(["0", "2.3", "1,234,567"]);
  });
});
