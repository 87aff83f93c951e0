/** The dashboard's pure parts: addresses, words, order, settings. */
import { describe, expect, it } from "vitest";
import type { DeviceView, SinkView, StatusView } from "../../src/admin/api-schemas.js";
import { needsAttention } from "./attention.js";
import { primaryReading, sortDevices } from "./device-order.js";
import { axesOf, parseSignals, signalsText, whyNot } from "./explore-state.js";
import { sparkPaths } from "./parts/sparkline.js";
import { hrefTo, parseRoute } from "./route.js";
import { settingLines } from "./settings-lines.js";
import { gapCount, gapReasonText } from "./words.js";

const device = (id: string, rest: Partial<DeviceView> = {}): DeviceView => ({
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
  latest: [],
  ...rest,
});

describe("an address", () => {
  it("comes back as it was made", () => {
    const made = parseRoute(hrefTo("devices", ["attic-7", "charts"], { range: "1h", filter: "" }));
    expect(made).toMatchObject({ page: "devices", id: "attic-7", tab: "charts" });
    expect([...made.query]).toEqual([["range", "1h"]]);
  });

  it("that is broken, unknown or hostile is the overview", () => {
    for (const hash of ["", "#", "#/", "#main", "#/nowhere/x", "#/%E0%A4%A", "#//evil.example"]) {
      expect(parseRoute(hash)).toMatchObject({ page: "overview", id: "" });
    }
    expect(parseRoute("#/devices/%E0%A4%A").id).toBe("");
    expect(hrefTo("devices", ["a/../b?c#d"])).toBe("#/devices/a%2F..%2Fb%3Fc%23d");
  });

  it("of Explore keeps signals once, in order, and no more than fit", () => {
    const refs = parseSignals("a/t,b/u,a/t,/x,y/,z");
    expect(refs).toEqual([
      { device: "a", signal: "t" },
      { device: "b", signal: "u" },
    ]);
    expect(signalsText(refs)).toBe("a/t,b/u");
    expect(parseSignals(Array.from({ length: 20 }, (_, i) => `d${i}/t`).join(","))).toHaveLength(8);
  });
});

describe("two axes", () => {
  it("take the first two units, and refuse a third with the reason", () => {
    expect(axesOf(["°C", "%", "°C"])).toEqual(["y", "y2", "y"]);
    expect(whyNot(["°C", "%"], "%")).toBe("");
    expect(whyNot(["°C", "%"], "")).toBe("Two axes are taken by °C and %; remove one first.");
    expect(
      whyNot(
        Array.from({ length: 8 }, () => "°C"),
        "°C",
      ),
    ).toMatch(/8 signals/);
  });
});

describe("what needs attention", () => {
  const status = {
    disk: { usedBytes: 1, quotaBytes: 2, freeBytes: 3, full: false },
    outageHoursLeft: 31,
    gaps: 0,
    conflicts: 0,
    eventLoopDelayMs: { p50: 1, p99: 2, max: 3 },
  } as unknown as StatusView; // only what is looked at
  const sink: SinkView = {
    name: "broker",
    type: "mqtt",
    state: "up",
    target: "",
    protocol: null,
    connectedSince: null,
    lastError: null,
    retryInMs: null,
    deliveredCount: 0,
    inFlightCount: 0,
    quarantinedCount: 0,
    reconnectCount: 0,
    backlog: { count: 0, ageMs: 0, cursor: 0, orphaned: false },
  };
  const texts = (facts: Parameters<typeof needsAttention>[0]): string[] =>
    needsAttention(facts).map(({ text }) => text);

  it("is nothing while all is well, and a revoked or orphaned one is nobody's worry", () => {
    const revoked = device("old", { online: false, presence: "offline", revoked: true });
    const orphan = { ...sink, state: "stopped", backlog: { ...sink.backlog, orphaned: true, ageMs: 1e9 } };
    expect(texts({ status, devices: [device("a"), revoked], sinks: [sink, orphan] })).toEqual([]);
  });

  it("is told worst first, in words, with many devices as a few names", () => {
    const offline = ["a", "b", "c", "d", "e"].map((id) => device(id, { online: false, presence: "offline" }));
    const found = needsAttention({
      status: { ...status, gaps: 2, disk: { ...status.disk, full: true } },
      devices: [...offline, device("new", { online: false, presence: "offline", lastSeen: null })],
      sinks: [
        { ...sink, state: "backingOff", lastError: { code: "E", why: "the broker refused the password", fix: "" } },
        { ...sink, name: "slow", backlog: { ...sink.backlog, count: 5, ageMs: 600_000 }, quarantinedCount: 1 },
      ],
    });
    expect(found.map(({ tone, text }) => `${tone}: ${text}`)).toEqual([
      "bad: The spool is full: devices keep their data until there is room.",
      "bad: Sink broker is not connected, tries again: the broker refused the password.",
      "bad: Offline: a, b, c and 2 more.",
      "note: Sink slow is 10 min behind.",
      "note: Sink slow could not take 1 record.",
      "note: Never connected: new.",
      "note: 2 gaps: something is missing for good, with the reason.",
    ]);
  });
});

describe("devices", () => {
  it("are sorted as people count: d2 before d10, offline first by presence", () => {
    const devices = [device("d10"), device("d2", { online: false, presence: "offline" }), device("d1")];
    expect(sortDevices(devices, "name", false).map(({ id }) => id)).toEqual(["d1", "d2", "d10"]);
    expect(sortDevices(devices, "presence", false)[0]?.id).toBe("d2");
    expect(sortDevices(devices, "lastSeen", true).map(({ id }) => id)).toEqual(["d1", "d2", "d10"]);
  });

  it("show the first number of their catalog, else whatever there is", () => {
    const latest = [
      { signal: "door", t: 1, v: "open", q: "good" as const },
      { signal: "humidity", t: 1, v: 60, q: "good" as const },
    ];
    expect(primaryReading(device("a", { latest }))?.signal).toBe("humidity");
    expect(primaryReading(device("a", { latest: latest.slice(0, 1) }))?.signal).toBe("door");
    expect(primaryReading(device("a"))).toBeNull();
  });
});

describe("the rest", () => {
  it("a sparkline breaks at gaps, lies flat for a constant, and needs two values", () => {
    expect(sparkPaths([1, null, 2, 3])).toMatch(/^M0\.0 22\.0M64\.0 12\.0L96\.0 2\.0$/);
    expect(sparkPaths([5, 5])).toBe("M0.0 12.0L96.0 12.0");
    expect(sparkPaths([5, null])).toBe("");
    expect(sparkPaths([])).toBe("");
  });

  it("a line of rates begins at zero: what hardly changes looks as if it hardly changed", () => {
    expect(sparkPaths([3, 3, 2.97], { fromZero: true })).toBe("M0.0 2.0L48.0 2.0L96.0 2.2");
    expect(sparkPaths([0, 0], { fromZero: true })).toBe("M0.0 22.0L96.0 22.0");
  });

  it("settings are lines with their source", () => {
    const tree = { version: 1, sinks: [{ name: "broker", url: "mqtt://b" }], serial: [], admin: { names: [] } };
    expect(settingLines(tree, { version: "t.yaml:1", "sinks[0].url": "TIDEGATE_URL" })).toEqual([
      { name: "version", value: "1", source: "t.yaml:1" },
      { name: "sinks[0].name", value: "broker", source: "default" },
      { name: "sinks[0].url", value: "mqtt://b", source: "TIDEGATE_URL" },
      { name: "serial", value: "none", source: "default" },
      { name: "admin.names", value: "none", source: "default" },
    ]);
  });

  it("a gap counts what it stands for, and an unknown reason is shown as it is", () => {
    expect(gapCount({ fromSeq: 4, toSeq: 9 })).toBe(6);
    expect(gapCount({ fromSeq: 4, toSeq: null })).toBeNull();
    expect(gapReasonText("fromTheFuture")).toBe("fromTheFuture");
  });
});
