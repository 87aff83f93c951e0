/** The live feed on a manual clock: order, batching, replay, slow viewers, bounds. */
import { describe, expect, it } from "vitest";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { LatestValues } from "./latest-values.js";
import { LiveFeed, type ResumePoint } from "./live-feed.js";
import type { LiveFrame } from "./live-frame.js";
import { LIVE_LIMITS, type LiveLimits } from "./live-limits.js";
import type { EventsMessage, LatestMessage, LiveMessage } from "./live-messages.js";
import type { CloseReason, Viewer } from "./live-seat.js";
import { resumePoint } from "./live-sse.js";
import { FakeHost, offline } from "./testing/fake-host.js";

/** A viewer whose network is a number: what was sent stays in `buffered` until the test drains it. */
class TestViewer implements Viewer {
  readonly messages: LiveMessage[] = [];
  readonly frames: LiveFrame[] = [];
  closed: CloseReason | null = null;
  allowedNow = true;
  blocked = false;
  buffered = 0;
  bufferedBytes = () => this.buffered;
  allowed = () => this.allowedNow;

  send(frame: LiveFrame): void {
    this.frames.push(frame);
    this.messages.push(JSON.parse(frame.json));
    if (this.blocked) this.buffered += frame.socketBytes.length;
  }

  close(why: CloseReason): void {
    this.closed = why;
  }

  of<T extends LiveMessage["type"]>(type: T): Extract<LiveMessage, { type: T }>[] {
    return this.messages.filter((m): m is Extract<LiveMessage, { type: T }> => m.type === type);
  }

  get eventIds(): number[] {
    return this.of("events").flatMap((m: EventsMessage) => m.events.map((event) => event.id));
  }
}

interface Stage {
  readonly host: FakeHost;
  readonly clock: ManualClock;
  readonly feed: LiveFeed;
  readonly metrics: Metrics;
  /** Join, and wait until greeted. */
  join(from?: ResumePoint): Promise<TestViewer>;
  /** Let time pass and what it set off finish. */
  pass(ms: number): Promise<void>;
}

async function stage(limits: Partial<LiveLimits> = {}, host = new FakeHost()): Promise<Stage> {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const paced = { tickMs: 100, ...limits };
  const feed = new LiveFeed({ host, clock, metrics, log: SILENT, limits: paced });
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  await feed.start();
  const join = async (from: ResumePoint = {}): Promise<TestViewer> => {
    const viewer = new TestViewer();
    feed.join(viewer, from);
    for (let i = 0; i < 20 && viewer.messages.length === 0; i++) {
      clock.advance(5);
      await settle();
    }
    return viewer;
  };
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      clock.advance(Math.min(100, left));
      await settle();
    }
  };
  await pass(200);
  return { host, clock, feed, metrics, join, pass };
}

describe("in step", () => {
  it("greets with the store and its newest record, then shows what is stored", async () => {
    const s = await stage();
    const viewer = await s.join();
    expect(viewer.messages[0]).toEqual({
      type: "hello",
      gateway: "attic-pi",
      version: "0.1.0",
      store: "store1",
      id: 0,
      recovered: false,
    });
    s.host.report("attic-7", { temperature: 21.4 });
    await s.pass(100);
    expect(viewer.of("events")[0]).toMatchObject({
      id: 1,
      events: [{ id: 1, device: "attic-7", kind: "data", readings: [{ signal: "temperature", v: 21.4, unit: "°C" }] }],
    });
  });

  it("sends at most ten batches a second, and one frame object to everybody", async () => {
    const s = await stage();
    const viewers = [await s.join(), await s.join(), await s.join()];
    for (let i = 0; i < 100; i++) {
      s.host.report("attic-7", { temperature: i });
      s.clock.advance(10);
      await s.pass(0.1);
    }
    await s.pass(200);
    const batches = viewers.map((viewer) => viewer.frames.filter((f) => f.json.startsWith('{"type":"events"')));
    expect(batches[0]?.length).toBeLessThanOrEqual(12);
    expect(viewers[0]?.eventIds).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(batches[1]).toEqual(batches[0]);
    for (const [i, frame] of (batches[0] ?? []).entries()) expect(batches[2]?.[i]).toBe(frame);
  });

  it("shows the first news after a quiet time nearly at once", async () => {
    const s = await stage();
    const viewer = await s.join();
    await s.pass(100);
    s.host.report("attic-7", { temperature: 1 });
    await s.pass(5);
    expect(viewer.eventIds).toEqual([1]);
    s.host.report("attic-7", { temperature: 2 });
    await s.pass(90);
    expect(viewer.eventIds).toEqual([1]);
    await s.pass(10);
    expect(viewer.eventIds).toEqual([1, 2]);
  });

  it("splits a large batch into bounded frames whose ids let a viewer resume anywhere", async () => {
    const s = await stage({ frameBytesMax: 1000 });
    const viewer = await s.join();
    s.host.store(
      Array.from({ length: 30 }, (_, i) => ({
        device: "bed-1",
        kind: "log" as const,
        receivedUnixMs: i,
        detail: "x".repeat(60),
      })),
    );
    await s.pass(100);
    expect(viewer.eventIds).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    for (const message of viewer.of("events")) expect(message.id).toBe(message.events.at(-1)?.id);
    for (const frame of viewer.frames) expect(frame.json.length).toBeLessThan(1200);
  });

  it("tells presence and command changes, the newest of each", async () => {
    const s = await stage();
    const viewer = await s.join();
    const { command } = await s.host.commands.submit({
      device: "attic-7",
      name: "pump",
      args: "{}",
      delivery: null,
      ttlMs: null,
      source: "api",
      idempotencyKey: null,
    });
    s.host.moveCommand(command.commandId, "sent");
    s.host.moveCommand(command.commandId, "succeeded", '{"litres":2}');
    s.host.setPresence("attic-7", offline());
    await s.pass(100);
    expect(viewer.of("commands")).toHaveLength(1);
    expect(viewer.of("commands")[0]?.commands).toMatchObject([{ state: "succeeded", result: { litres: 2 } }]);
    expect(viewer.of("presence")[0]?.devices).toMatchObject([
      { device: "attic-7", online: false, presence: "offline" },
    ]);
  });

  it("beats, and tells the status while somebody looks", async () => {
    const s = await stage();
    const viewer = await s.join();
    await s.pass(15_000);
    expect(viewer.of("beat")).toHaveLength(1);
    expect(viewer.of("status").length).toBeGreaterThanOrEqual(7);
    expect(viewer.of("status")[0]?.status.devices.total).toBe(3);
  });

  it("tries again after a failed read and loses nothing", async () => {
    const s = await stage();
    const viewer = await s.join();
    s.host.readFailures = 2;
    s.host.report("attic-7", { temperature: 1 });
    await s.pass(5000);
    expect(viewer.eventIds).toEqual([1]);
  });
});

describe("resuming", () => {
  it("replays exactly what was missed, in order, without doubles", async () => {
    const s = await stage();
    for (let i = 0; i < 50; i++) s.host.report("attic-7", { temperature: i });
    await s.pass(200);
    const viewer = await s.join({ after: 20, store: "store1" });
    expect(viewer.messages[0]).toMatchObject({ type: "hello", recovered: true, id: 50 });
    s.host.report("attic-7", { temperature: 50 });
    await s.pass(200);
    expect(viewer.eventIds).toEqual(Array.from({ length: 31 }, (_, i) => i + 21));
  });

  it("says recovered:false for another store, an offset from the future, one too old, and for none", async () => {
    const s = await stage();
    for (let i = 0; i < 1100; i++) s.host.report("attic-7", { temperature: i });
    await s.pass(300);
    const recovered = async (from: ResumePoint): Promise<boolean | undefined> =>
      (await s.join(from)).of("hello")[0]?.recovered;
    expect(await recovered({ after: 1090, store: "other" })).toBe(false);
    expect(await recovered({ after: 2000, store: "store1" })).toBe(false);
    expect(await recovered({ after: 99, store: "store1" })).toBe(false);
    expect(await recovered({})).toBe(false);
    expect(await recovered({ after: 100, store: "store1" })).toBe(true);
    expect(await recovered({ after: 1090 })).toBe(true);
  });

  it("knows the last thousand records of an earlier run", async () => {
    const host = new FakeHost();
    for (let i = 0; i < 1500; i++) host.report("attic-7", { temperature: i });
    const s = await stage({}, host);
    expect((await s.join({ after: 500 })).eventIds).toHaveLength(1000);
    expect((await s.join({ after: 499 })).of("hello")[0]?.recovered).toBe(false);
    expect(s.feed.latestOf("attic-7")).toMatchObject([{ v: 1499 }]);
  });

  it("does not promise records that were deleted", async () => {
    const host = new FakeHost();
    for (let i = 0; i < 10; i++) host.report("attic-7", { temperature: i });
    host.dropTo(6);
    const s = await stage({}, host);
    expect((await s.join({ after: 5 })).of("hello")[0]?.recovered).toBe(false);
    expect((await s.join({ after: 6 })).eventIds).toEqual([7, 8, 9, 10]);
  });

  it("bounds the replay in bytes too", async () => {
    const s = await stage({ replayBytesMax: 10_000 });
    const event = { device: "bed-1", kind: "log" as const, receivedUnixMs: 1, detail: "x".repeat(1000) };
    s.host.store(Array.from({ length: 50 }, () => event));
    await s.pass(200);
    expect((await s.join({ after: 40 })).of("hello")[0]?.recovered).toBe(false);
    expect((await s.join({ after: 45 })).eventIds).toEqual([46, 47, 48, 49, 50]);
  });

  it("reads the browser's remembered offset, and nothing from nonsense", () => {
    expect(resumePoint("5", "s", undefined)).toEqual({ after: 5, store: "s" });
    expect(resumePoint("5", "s", "abc:9")).toEqual({ after: 9, store: "abc" });
    expect(resumePoint(undefined, undefined, "9")).toEqual({ after: 9, store: undefined });
    for (const bad of ["-1", "1e3", "x", "", "9".repeat(16)]) expect(resumePoint(bad, "s", undefined)).toEqual({});
  });
});

describe("a slow viewer", () => {
  it("gets nothing while its buffer is full, then the newest values, told as conflated", async () => {
    const s = await stage({ viewerBufferBytesMax: 500 });
    const [slow, quick] = [await s.join(), await s.join()];
    slow.blocked = true;
    for (let i = 0; i < 200; i++) {
      s.host.report("attic-7", { temperature: i });
      s.host.report("bed-1", { humidity: i });
      await s.pass(100);
    }
    expect(slow.buffered).toBeLessThan(1500);
    expect(quick.eventIds).toHaveLength(400);
    expect(s.metrics.read("live_conflations")).toBe(1);
    slow.blocked = false;
    slow.buffered = 0;
    await s.pass(100);
    const latest = slow.of("latest")[0] as LatestMessage;
    expect(latest).toMatchObject({ conflated: true, id: 400 });
    expect(latest.devices.map(({ device, readings }) => [device, readings[0]?.v])).toEqual([
      ["attic-7", 199],
      ["bed-1", 199],
    ]);
    s.host.report("attic-7", { temperature: 200 });
    await s.pass(200);
    expect(slow.eventIds.at(-1)).toBe(401);
    expect(slow.of("latest")).toHaveLength(1);
  });

  it("is told even when only presence was missed", async () => {
    const s = await stage({ viewerBufferBytesMax: 500 });
    const viewer = await s.join();
    viewer.buffered = 501;
    s.host.setPresence("attic-7", offline());
    await s.pass(100);
    viewer.buffered = 0;
    await s.pass(100);
    expect(viewer.of("latest")).toMatchObject([{ conflated: true, devices: [] }]);
  });

  it("takes many newest values in bounded steps and still ends in step", async () => {
    const s = await stage({ viewerBufferBytesMax: 2000, frameBytesMax: 1000 });
    const viewer = await s.join();
    viewer.buffered = 2001;
    for (let i = 0; i < 200; i++) s.host.report(`d${i}`, { temperature: i });
    await s.pass(300);
    viewer.blocked = true;
    viewer.buffered = 0;
    for (let i = 0; i < 60; i++) {
      await s.pass(100);
      expect(viewer.buffered).toBeLessThan(4000);
      viewer.buffered = 0;
    }
    const devices = viewer.of("latest").flatMap((m) => m.devices.map((d) => d.device));
    expect(new Set(devices).size).toBe(200);
    s.host.report("d0", { temperature: 5 });
    await s.pass(100);
    expect(viewer.eventIds).toEqual([201]);
  });

  it("that takes nothing for two minutes is closed, and does not keep the feed busy afterwards", async () => {
    const s = await stage({ viewerBufferBytesMax: 500 });
    const viewer = await s.join();
    viewer.buffered = 501;
    s.host.report("attic-7", { temperature: 1 });
    await s.pass(150_000);
    expect(viewer.closed).toBe("stuck");
    expect(s.feed.viewerCount).toBe(0);
    expect(s.metrics.read("live_viewers_stuck")).toBe(1);
    expect(s.clock.pending).toBe(2); // beat and status
  });
});

describe("nobody looking", () => {
  it("means that nothing is read, at the start and after the last viewer has left", async () => {
    const s = await stage();
    s.host.report("attic-7", { temperature: 1 });
    await s.pass(1000);
    expect(s.host.reads).toEqual([]);
    const viewer = new TestViewer();
    const leave = s.feed.join(viewer, {});
    await s.pass(100);
    expect(viewer.of("hello")[0]).toMatchObject({ id: 1, recovered: false });
    leave();
    const readCount = s.host.reads.length;
    for (let i = 0; i < 50; i++) s.host.report("attic-7", { temperature: i });
    s.host.setPresence("attic-7", offline());
    await s.pass(1000);
    expect(s.host.reads).toHaveLength(readCount);
    expect(s.clock.pending).toBe(2); // beat and status
  });

  it("loses nothing for a viewer that comes back within a thousand records", async () => {
    const s = await stage();
    const viewer = new TestViewer();
    const leave = s.feed.join(viewer, {});
    await s.pass(100);
    leave();
    for (let i = 0; i < 900; i++) s.host.report("attic-7", { temperature: i });
    await s.pass(500);
    const back = await s.join({ after: 3, store: "store1" });
    expect(back.of("hello")[0]).toMatchObject({ id: 900, recovered: true });
    expect(back.eventIds).toEqual(Array.from({ length: 897 }, (_, i) => i + 4));
  });

  it("still answers with the newest values when somebody asks", async () => {
    const s = await stage();
    s.host.report("attic-7", { temperature: 1 });
    s.host.report("attic-7", { temperature: 2 });
    const asked = s.feed.freshen();
    await s.pass(10);
    await asked;
    expect(s.feed.latestOf("attic-7")).toMatchObject([{ signal: "temperature", v: 2 }]);
    expect(s.host.reads).toEqual(["latest"]);
    await s.feed.freshen();
    expect(s.host.reads).toHaveLength(1);
  });

  it("does not keep an asker waiting when the spool cannot be read", async () => {
    const s = await stage();
    s.host.report("attic-7", { temperature: 1 });
    s.host.readFailures = 1;
    const asked = s.feed.freshen();
    await s.pass(10);
    await expect(asked).resolves.toBeUndefined();
  });

  it("costs sinks with states one folded read for many records, twice a second", async () => {
    const s = await stage();
    s.host.isObserved = true;
    for (let i = 0; i < 100; i++) {
      s.host.report("attic-7", { temperature: i });
      await s.pass(10);
    }
    await s.pass(500);
    expect(new Set(s.host.reads)).toEqual(new Set(["latest"]));
    expect(s.host.reads.length).toBeLessThanOrEqual(4);
    expect(s.feed.latestOf("attic-7")).toMatchObject([{ v: 99 }]);
  });

  it("is over with the first viewer, whose events begin behind its greeting", async () => {
    const s = await stage();
    s.host.isObserved = true;
    for (let i = 0; i < 20; i++) s.host.report("attic-7", { temperature: i });
    await s.pass(1000);
    const viewer = await s.join();
    s.host.report("attic-7", { temperature: 20 });
    await s.pass(200);
    expect(viewer.of("hello")[0]?.id).toBe(20);
    expect(viewer.eventIds).toEqual([21]);
  });
});

describe("bounds", () => {
  it("skips ahead when the intake outruns it, and says so", async () => {
    const s = await stage({ rowsPerTickMax: 10 });
    const viewer = await s.join();
    const event = { device: "bed-1", kind: "log" as const, receivedUnixMs: 1 };
    s.host.store(Array.from({ length: 500 }, () => event));
    await s.pass(300);
    expect(viewer.of("events")[0]?.conflated).toBe(true);
    expect(viewer.eventIds).toEqual(Array.from({ length: 10 }, (_, i) => i + 491));
    expect(s.metrics.read("live_skipped_records")).toBe(490);
    expect((await s.join({ after: 480 })).of("hello")[0]?.recovered).toBe(false);
  });

  it("reads a smaller backlog in slices, without leaving anything out", async () => {
    const s = await stage({ rowsPerTickMax: 10 });
    const viewer = await s.join();
    s.host.store(Array.from({ length: 95 }, () => ({ device: "bed-1", kind: "log" as const, receivedUnixMs: 1 })));
    await s.pass(1200);
    expect(viewer.eventIds).toEqual(Array.from({ length: 95 }, (_, i) => i + 1));
  });

  it("refuses viewers past the ceiling and counts them", async () => {
    const s = await stage({ viewersMax: 2 });
    await s.join();
    await s.join();
    expect(s.feed.hasPlace()).toBe(false);
    expect(s.metrics.read("live_viewers_refused")).toBe(1);
  });

  it("closes viewers whose session ended at the next beat", async () => {
    const s = await stage();
    const viewer = await s.join();
    viewer.allowedNow = false;
    await s.pass(15_000);
    expect(viewer.closed).toBe("ended");
  });

  it("stops clean: viewers told, no timer left", async () => {
    const s = await stage();
    const viewer = await s.join();
    s.host.report("attic-7", { temperature: 1 });
    s.feed.stop();
    expect(viewer.closed).toBe("stopping");
    expect(s.clock.pending).toBe(0);
    expect(s.feed.hasPlace()).toBe(false);
  });
});

describe("newest values", () => {
  it("are bounded per device and in all, and free their room", () => {
    const values = new LatestValues({ ...LIVE_LIMITS, signalsPerDeviceMax: 2, latestValuesMax: 3 });
    const reading = (signal: string) => ({ signal, t: 1, v: "x".repeat(1000), q: "good" as const });
    values.note("a", ["1", "2", "3"].map(reading), 1, 1);
    values.note("b", ["1", "2"].map(reading), 2, 1);
    expect([values.count, values.refusedCount]).toEqual([3, 2]);
    expect(values.of("a")[0]?.v).toHaveLength(256);
    values.forget("a");
    expect(values.count).toBe(1);
    expect(values.since(0).map((change) => change.device)).toEqual(["b"]);
  });
});
