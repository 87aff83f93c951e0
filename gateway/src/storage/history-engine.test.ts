/** The history on a real history.db: what is kept across crashes, deletion and time, and what is left out. */

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ManualClock } from "../core/testing/manual-clock.js";
import { closeDatabase } from "./database.js";
import { FLUSH_MS } from "./history-engine.js";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./history-levels.js";
import type { HistoryColumns } from "./history-protocol.js";
import { clockAt, MemoryTail, openTestHistory, pass, type TestHistory, type TestReading } from "./testing/history.js";
import { type TestFolder, testFolder } from "./testing/store.js";

/** Some full hour. */
const START = 1_790_000_000_000 - (1_790_000_000_000 % DAY_MS);

let folder: TestFolder;
let clock: ManualClock;
let tail: MemoryTail;
beforeEach(() => {
  folder = testFolder();
  clock = clockAt(START);
  tail = new MemoryTail();
});
afterEach(() => folder.remove());

function everySecond(count: number, fromUnixMs = START): TestReading[] {
  return Array.from({ length: count }, (_, i) => ({ t: fromUnixMs + i * 1_000, v: i % 50 }));
}

function ask({ engine }: TestHistory, fields: Partial<Parameters<typeof engine.read>[0]> = {}): HistoryColumns {
  const range = { fromUnixMs: START, toUnixMs: START + DAY_MS, pointsMax: 5_000 };
  return engine.read({ device: "attic-7", signal: "#1", ...range, ...fields });
}

function shut({ engine, opened }: TestHistory): void {
  engine.close();
  closeDatabase(opened.db);
}

function kill({ engine, opened }: TestHistory): void {
  engine.abandon();
  opened.db.close();
}

describe("the history", () => {
  it("answers with what was committed a moment ago, before anything of it is on disk", () => {
    const history = openTestHistory(folder.path, tail, clock);
    tail.addReadings(everySecond(3));
    expect(ask(history)).toEqual({
      unit: null,
      bucketMs: null,
      t: [START, START + 1_000, START + 2_000],
      v: [0, 1, 2],
      before: null,
    });
    expect(history.engine.progress()).toMatchObject({ cursor: 0, readingCount: 3 });
    shut(history);
  });

  it("reports a record as taken only when a transaction holds it", () => {
    const history = openTestHistory(folder.path, tail, clock);
    tail.addReadings(everySecond(3));
    history.engine.tick();
    expect(history.engine.progress().cursor).toBe(0);
    pass(history.engine, clock, FLUSH_MS);
    expect(history.engine.progress().cursor).toBe(1);
    shut(history);
  });

  it("writes nothing while nothing comes", () => {
    const history = openTestHistory(folder.path, tail, clock);
    pass(history.engine, clock, 5 * MINUTE_MS);
    const before = history.opened.db.pragma("data_version");
    const changes = history.opened.db.prepare("SELECT total_changes() AS n");
    const count = changes.get();
    pass(history.engine, clock, 30 * MINUTE_MS);
    expect(changes.get()).toEqual(count);
    expect(history.opened.db.pragma("data_version")).toEqual(before);
    shut(history);
  });

  it("has every reading once after a kill at any time, as long as the spool keeps what was not reported", () => {
    let history = openTestHistory(folder.path, tail, clock);
    const all: TestReading[] = [];
    for (let round = 0; round < 40; round++) {
      const readings = everySecond(100, START + round * 100_000);
      all.push(...readings);
      tail.addReadings(readings);
      pass(history.engine, clock, round % 3 === 0 ? 100_000 : 3_000, 3_000);
      if (round % 4 !== 1) continue;
      const { cursor } = history.engine.progress();
      kill(history);
      tail.records = tail.records.filter(({ id }) => id > cursor);
      history = openTestHistory(folder.path, tail, clock);
    }
    const { t, v } = ask(history);
    expect(t).toEqual(all.map((reading) => reading.t));
    expect(v).toEqual(all.map((reading) => reading.v));
    shut(history);
  });

  it("packs an hour in slices: questions come through, and a kill between two of them loses and doubles nothing", () => {
    let history = openTestHistory(folder.path, tail, clock);
    const devices = Array.from({ length: 12 }, (_, i) => `d${i}`);
    const give = (fromUnixMs: number): void => {
      for (const device of devices) tail.addReadings(everySecond(1_800, fromUnixMs), { device });
    };
    const countOf = (device: string): number => ask(history, { device }).v?.filter((v) => v !== null).length ?? 0;
    give(START);
    give(START + HOUR_MS);
    clock.advance(2 * HOUR_MS);
    const rows = () => history.opened.db.prepare("SELECT count(*) AS n, count(DISTINCT key / 8) AS d FROM raw").get();
    let turns = 0;
    let kills = 0;
    for (; turns < 1_000 && history.engine.tick(); turns++) {
      expect(countOf(`d${1 + (turns % 10)}`)).toBe(3_600);
      if (turns % 3 !== 2) continue;
      kill(history);
      history = openTestHistory(folder.path, tail, clock);
      clock.advance(2 * MINUTE_MS);
      kills += 1;
      // Late ones, for hours that are packed already or are being packed.
      if (kills === 1) tail.addReadings([{ t: START + 500, v: 7 }], { device: "d0" });
      if (kills === 1) tail.addReadings([{ t: START + 500, v: 7 }], { device: "d11" });
    }
    expect(turns).toBeGreaterThan(6);
    expect(kills).toBeGreaterThan(1);
    pass(history.engine, clock, 2 * HOUR_MS, MINUTE_MS);
    expect(devices.map(countOf)).toEqual(devices.map((_, i) => (i === 0 || i === 11 ? 3_601 : 3_600)));
    expect(rows()).toMatchObject({ d: 24 });
    expect(history.opened.db.prepare("SELECT count(*) AS n FROM head").get()).toEqual({ n: 0 });
    expect(history.engine.progress().openBytes).toBe(0);
    shut(history);
  });

  it("is rebuilt from what the spool still holds when its file was deleted", () => {
    const first = openTestHistory(folder.path, tail, clock);
    for (let hour = 0; hour < 5; hour++) tail.addReadings(everySecond(1_800, START + hour * HOUR_MS));
    pass(first.engine, clock, 6 * HOUR_MS, 60_000);
    const before = ask(first, { pointsMax: 500 });
    shut(first);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder.path, `history.db${suffix}`), { force: true });
    tail.records = tail.records.slice(2);
    const second = openTestHistory(folder.path, tail, clock);
    pass(second.engine, clock, 2 * MINUTE_MS);
    const range = { fromUnixMs: START + 2 * HOUR_MS, toUnixMs: START + DAY_MS };
    expect(ask(second, { ...range, pointsMax: 500 }).bucketMs).toBe(before.bucketMs);
    expect(ask(second, range).t[0]).toBe(START + 2 * HOUR_MS);
    shut(second);
  });

  it("moves a damaged file aside, keeps the newest of those, and begins again", () => {
    shut(openTestHistory(folder.path, tail, clock));
    const path = join(folder.path, "history.db");
    const damage = (): void => writeFileSync(path, new Uint8Array(8_192).fill(7));
    damage();
    clock.advance(1_000);
    const second = openTestHistory(folder.path, tail, clock);
    const { quarantinedTo, notices } = second.opened;
    expect(quarantinedTo).not.toBeNull();
    expect(notices).toHaveLength(1);
    shut(second);
    damage();
    clock.advance(1_000);
    const third = openTestHistory(folder.path, tail, clock);
    expect(existsSync(third.opened.quarantinedTo ?? "")).toBe(true);
    expect(existsSync(quarantinedTo ?? "")).toBe(false);
    shut(third);
  });

  it("leaves a blob out whose bytes mean nothing, and says so", () => {
    const history = openTestHistory(folder.path, tail, clock);
    tail.addReadings(everySecond(100));
    tail.addReadings(everySecond(100, START + HOUR_MS));
    pass(history.engine, clock, 3 * HOUR_MS, 60_000);
    const { db } = history.opened;
    expect(db.prepare("SELECT count(*) AS n FROM raw").get()).toEqual({ n: 2 });
    db.prepare("UPDATE raw SET body = x'0100ff' WHERE key = (SELECT min(key) FROM raw)").run();
    expect(ask(history).t).toHaveLength(100);
    expect(history.engine.progress().damagedCount).toBeGreaterThan(0);
    shut(history);
  });

  it("keeps everything in memory and its cursor back while the disk is full, and writes it later", () => {
    const history = openTestHistory(folder.path, tail, clock, { openBytesMax: 200_000 });
    const { db } = history.opened;
    db.pragma(`max_page_count = ${Number(db.pragma("page_count", { simple: true }))}`);
    const noisy = (i: number) => everySecond(2_000, START + i * 2_000_000).map(({ t }) => ({ t, v: Math.sin(t) }));
    tail.addReadings(noisy(0));
    pass(history.engine, clock, MINUTE_MS);
    const stuck = history.engine.progress();
    expect(stuck).toMatchObject({ cursor: 0, readingCount: 2_000 });
    expect(stuck.refusedWriteCount).toBeGreaterThan(0);
    for (let i = 1; i < 20; i++) tail.addReadings(noisy(i));
    pass(history.engine, clock, MINUTE_MS);
    expect(history.engine.progress().openBytes).toBeLessThan(200_000 + 2_000 * 32);
    expect(ask(history).t.length).toBeGreaterThan(0);
    db.pragma("max_page_count = 100000");
    pass(history.engine, clock, 5 * MINUTE_MS);
    expect(history.engine.progress()).toMatchObject({ cursor: tail.bounds().lastId, readingCount: 40_000 });
    shut(history);
  });

  it("takes a restored spool's old records once, and a replaced spool's new ones from their first", () => {
    const first = openTestHistory(folder.path, tail, clock);
    tail.addReadings(everySecond(10));
    tail.addReadings(everySecond(10, START + MINUTE_MS));
    pass(first.engine, clock, 2 * FLUSH_MS);
    shut(first);
    const restored = new MemoryTail();
    restored.store = "store-2";
    restored.addReadings(everySecond(10));
    const second = openTestHistory(folder.path, restored, clock);
    restored.addReadings(everySecond(10, START + 2 * MINUTE_MS));
    expect(ask(second).v?.filter((v) => v !== null)).toHaveLength(30);
    pass(second.engine, clock, 2 * FLUSH_MS);
    shut(second);
    const third = openTestHistory(folder.path, restored, clock);
    expect(ask(third).v?.filter((v) => v !== null)).toHaveLength(30);
    shut(third);
  });
});

describe("what a device can do to the history", () => {
  it("is bounded in signals, per device and in all", () => {
    const history = openTestHistory(folder.path, tail, clock, { signalsPerDeviceMax: 1, signalsMax: 2 });
    for (const device of ["a", "b", "c"]) tail.addReadings(everySecond(1), { device });
    history.engine.tick();
    expect(history.engine.progress()).toMatchObject({ signalCount: 2, refusedCount: 1 });
    shut(history);
  });

  it("does not reach into the future or the far past with its times", () => {
    const history = openTestHistory(folder.path, tail, clock);
    const receivedUnixMs = START;
    tail.addReadings([{ t: START + 2 * DAY_MS, v: 1 }], { receivedUnixMs });
    tail.addReadings([{ t: 1_000, v: 2 }], { receivedUnixMs });
    tail.addReadings([{ t: START, v: 3 }], { receivedUnixMs });
    history.engine.tick();
    expect(history.engine.progress()).toMatchObject({ outsideCount: 2, readingCount: 1 });
    shut(history);
  });

  it("keeps a reading from the future from freezing the latest value", () => {
    const history = openTestHistory(folder.path, tail, clock);
    tail.addReadings([{ t: START + HOUR_MS, v: 1 }], { receivedUnixMs: START });
    tail.addReadings([{ t: START + 1_000, v: 2 }], { receivedUnixMs: START + 1_000 });
    tail.addReadings([{ t: START - 5_000, v: 3 }], { receivedUnixMs: START + 2_000 });
    history.engine.tick();
    expect(history.engine.latest()).toEqual([
      { device: "attic-7", readings: [{ signal: "#1", t: START + 1_000, v: 2, q: "good" }] },
    ]);
    shut(history);
  });

  it("folds late readings of one hour into one blob before there are too many", () => {
    const history = openTestHistory(folder.path, tail, clock);
    for (let i = 0; i < 20; i++) {
      tail.addReadings([{ t: START + i, v: i }], { receivedUnixMs: START + i * HOUR_MS });
      pass(history.engine, clock, HOUR_MS, 60_000);
    }
    const row = history.opened.db.prepare("SELECT count(*) AS parts, sum(n) AS n FROM raw").get();
    expect(row).toMatchObject({ n: 20 });
    expect((row as { parts: number }).parts).toBeLessThanOrEqual(8); // one row of our own query
    expect(ask(history).v).toEqual(Array.from({ length: 20 }, (_, i) => i));
    shut(history);
  });
});

describe("the latest values", () => {
  it("are there after a start, from before the last packing and after it", () => {
    const first = openTestHistory(folder.path, tail, clock);
    tail.addReadings([{ t: START, v: 20 }], { device: "old" });
    pass(first.engine, clock, 2 * HOUR_MS, 60_000);
    tail.addReadings([{ t: START + 2 * HOUR_MS, v: "on" }], { device: "young" });
    pass(first.engine, clock, FLUSH_MS);
    kill(first);
    const second = openTestHistory(folder.path, tail, clock);
    expect(second.engine.latest()).toEqual([
      { device: "old", readings: [{ signal: "#1", t: START, v: 20, q: "good" }] },
      { device: "young", readings: [{ signal: "#1", t: START + 2 * HOUR_MS, v: "on", q: "good" }] },
    ]);
    shut(second);
  });
});

describe("thinning", () => {
  function fill(days: number, options: Parameters<typeof openTestHistory>[3]): TestHistory {
    const history = openTestHistory(folder.path, tail, clock, options);
    for (let hour = 0; hour < days * 24; hour++) {
      const from = START + hour * HOUR_MS;
      tail.addReadings(Array.from({ length: 120 }, (_, i) => ({ t: from + i * 30_000, v: (i * 37) % 101 })));
      pass(history.engine, clock, HOUR_MS, 10 * MINUTE_MS);
    }
    pass(history.engine, clock, HOUR_MS, 10 * MINUTE_MS);
    return history;
  }

  it("drops readings by age first, then minutes, and answers an old range with what is left", () => {
    const history = fill(16, { keepMs: DAY_MS });
    const now = clock.unixMs();
    const rows = (table: string) => history.opened.db.prepare(`SELECT count(*) AS n FROM ${table}`).get();
    expect(rows("raw")).toEqual({ n: 24 });
    expect(rows("minutes")).toEqual({ n: 12 * 24 });
    expect(rows("hours")).toEqual({ n: 16 });
    const young = { fromUnixMs: now - 6 * HOUR_MS, toUnixMs: now, pointsMax: 5_000 };
    expect(ask(history, young).bucketMs).toBeNull();
    const middle = { fromUnixMs: now - 6 * DAY_MS, toUnixMs: now - 5 * DAY_MS, pointsMax: 5_000 };
    expect(ask(history, middle)).toMatchObject({ bucketMs: MINUTE_MS });
    const old = ask(history, { fromUnixMs: START, toUnixMs: START + DAY_MS, pointsMax: 5_000 });
    expect(old.bucketMs).toBe(HOUR_MS);
    expect(old.t).toHaveLength(24);
    expect(old.max?.every((max) => max === 100)).toBe(true);
    shut(history);
  });

  it("stays within its quota by giving up the oldest readings before any figures", () => {
    const quotaBytes = 300 * 1024;
    const history = openTestHistory(folder.path, tail, clock, { keepMs: 365 * DAY_MS, quotaBytes });
    let seed = 1;
    for (let hour = 0; hour < 72; hour++) {
      const from = START + hour * HOUR_MS;
      const noise = (): number => {
        seed = (seed * 48_271) % 2_147_483_647;
        return seed / 7;
      };
      tail.addReadings(Array.from({ length: 1_200 }, (_, i) => ({ t: from + i * 3_000, v: noise() })));
      pass(history.engine, clock, HOUR_MS, 10 * MINUTE_MS);
      if (hour > 2) expect(history.engine.progress().usedBytes).toBeLessThan(quotaBytes + 64 * 1024);
    }
    const week = ask(history, { fromUnixMs: START, toUnixMs: clock.unixMs(), pointsMax: 72 });
    expect(week.t.length).toBeGreaterThanOrEqual(70);
    const { n } = history.opened.db.prepare("SELECT count(*) AS n FROM raw").get() as { n: number }; // our own query
    expect(n).toBeGreaterThan(4);
    expect(n).toBeLessThan(40);
    shut(history);
  });

  it("does not believe a wall clock that has jumped ahead, until it has stayed there", () => {
    const history = openTestHistory(folder.path, tail, clock, { keepMs: DAY_MS });
    tail.addReadings(everySecond(10));
    pass(history.engine, clock, 2 * HOUR_MS, MINUTE_MS);
    clock.jumpUnix(3_000 * DAY_MS);
    pass(history.engine, clock, HOUR_MS, MINUTE_MS);
    expect(ask(history).t).toHaveLength(10);
    clock.jumpUnix(-3_000 * DAY_MS);
    pass(history.engine, clock, HOUR_MS, MINUTE_MS);
    expect(ask(history).t).toHaveLength(10);
    clock.jumpUnix(3_000 * DAY_MS);
    pass(history.engine, clock, 4 * HOUR_MS, MINUTE_MS);
    expect(ask(history).t).toHaveLength(0);
    expect(history.engine.progress().signalCount).toBe(0);
    shut(history);
  });
});
