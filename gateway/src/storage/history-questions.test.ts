/** Answers of the history: the same as looking at every reading, and lines that break where they must. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ManualClock } from "../core/testing/manual-clock.js";
import { closeDatabase } from "./database.js";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "./history-levels.js";
import type { HistoryColumns } from "./history-protocol.js";
import { bucketWidth } from "./history-questions.js";
import {
  clockAt,
  MemoryTail,
  naiveBuckets,
  openTestHistory,
  pass,
  type TestHistory,
  type TestReading,
} from "./testing/history.js";
import { type TestFolder, testFolder } from "./testing/store.js";

const START = 1_790_000_000_000 - (1_790_000_000_000 % DAY_MS);

let folder: TestFolder;
let clock: ManualClock;
let tail: MemoryTail;
let history: TestHistory;
beforeEach(() => {
  folder = testFolder();
  clock = clockAt(START);
  tail = new MemoryTail();
  history = openTestHistory(folder.path, tail, clock);
});
afterEach(() => {
  history.engine.close();
  closeDatabase(history.opened.db);
  folder.remove();
});

function ask(fromUnixMs: number, toUnixMs: number, pointsMax: number): HistoryColumns {
  return history.engine.read({ device: "attic-7", signal: "#1", fromUnixMs, toUnixMs, pointsMax });
}

function every(intervalMs: number, count: number, from = START): TestReading[] {
  return Array.from({ length: count }, (_, i) => ({ t: from + i * intervalMs, v: ((i * 37) % 101) / 4 }));
}

/** The columns of an answer without the places where its line breaks. */
function present(answer: HistoryColumns) {
  return answer.t.flatMap((t, i) => {
    const [min, avg, max] = [answer.min?.[i], answer.avg?.[i], answer.max?.[i]];
    return typeof min === "number" && typeof avg === "number" && typeof max === "number"
      ? [{ start: t, min, avg, max }]
      : [];
  });
}

/** Compare an answer with every reading that its range and width cover. */
function expectAnswer(readings: readonly TestReading[], from: number, to: number, pointsMax: number): void {
  const answer = ask(from, to, pointsMax);
  const inside = readings.filter(({ t }) => t >= from && t < to);
  if (answer.bucketMs === null) {
    expect(answer.v?.filter((v) => v !== null)).toEqual(inside.map(({ v }) => v));
    expect(answer.t.filter((_, i) => answer.v?.[i] !== null)).toEqual(inside.map(({ t }) => t));
    expect(inside.length).toBeLessThanOrEqual(pointsMax);
    return;
  }
  // Never figures where every reading would fit.
  expect(inside.length).toBeGreaterThan(pointsMax);
  const width = answer.bucketMs;
  const covered = readings.filter(
    ({ t }) =>
      t >= Math.floor(from / width) * width &&
      t < Math.ceil(Math.min(to, (readings.at(-1)?.t ?? 0) + 1) / width) * width,
  );
  const naive = naiveBuckets(covered, width);
  const got = present(answer);
  expect(got.map(({ start }) => start)).toEqual(naive.map(({ start }) => start));
  got.forEach(({ min, avg, max }, i) => {
    expect(min).toBe(naive[i]?.min);
    expect(max).toBe(naive[i]?.max);
    expect(avg).toBeCloseTo(naive[i]?.avg ?? Number.NaN, 9);
  });
  expect(got.length).toBeLessThanOrEqual(pointsMax);
}

/** A property that fails is not shrunk for ever. */
const LIMIT_MS = 10_000;

describe("an answer", () => {
  it("is what looking at every reading gives, for any range and number of points, packed or not, late or not", () => {
    const step = fc.tuple(fc.constantFrom(1_000, 1_003, 10_000, 60_000, 900_000), fc.integer({ min: 1, max: 300 }));
    const question = fc.tuple(
      fc.nat(4 * DAY_MS),
      fc.integer({ min: 1, max: 4 * DAY_MS }),
      fc.integer({ min: 1, max: 700 }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fc.nat(3 * DAY_MS), fc.constantFrom(0, HOUR_MS)), { minLength: 1, maxLength: 6 }),
        fc.array(question, { minLength: 5, maxLength: 5 }),
        (bursts, questions) => {
          tail.records = [];
          const device = `d${tail.bounds().lastId}`;
          const byTime = new Map<number, TestReading>();
          for (const [[intervalMs, count], offset, passMs] of bursts) {
            const readings = every(intervalMs, count, START + offset).filter(({ t }) => !byTime.has(t));
            for (const reading of readings) byTime.set(reading.t, reading);
            if (readings.length > 0) tail.addReadings(readings, { device });
            pass(history.engine, clock, passMs, 30 * MINUTE_MS);
          }
          const all = [...byTime.values()].sort((a, b) => a.t - b.t);
          for (const [from, length, pointsMax] of questions) {
            const read = history.engine.read.bind(history.engine);
            history.engine.read = (query) => read({ ...query, device });
            expectAnswer(all, START + from, START + from + length, pointsMax);
            history.engine.read = read;
          }
        },
      ),
      { numRuns: 60, interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("has no more buckets than points, of a whole number of seconds, minutes or hours", () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1, max: 5e11 }));
    fc.assert(
      fc.property(
        range,
        fc.integer({ min: 1, max: 5_000 }),
        fc.constantFrom(1, MINUTE_MS, HOUR_MS),
        (r, points, least) => {
          const [from, length] = r;
          const width = bucketWidth({ from, to: from + length }, points, least);
          expect(width % least).toBe(0);
          expect(Math.floor((from + length - 1) / width) - Math.floor(from / width) + 1).toBeLessThanOrEqual(points);
          const unit = width > HOUR_MS / 2 ? HOUR_MS : width > MINUTE_MS / 2 ? MINUTE_MS : width > 500 ? 1_000 : 1;
          expect(width % unit).toBe(0);
        },
      ),
      { interruptAfterTimeLimit: LIMIT_MS },
    );
  });

  it("has a number for the average even where the sum is past all doubles", () => {
    tail.addReadings([1, 2, 3].map((i) => ({ t: START + i, v: -1.7e308 })));
    expect(ask(START, START + 1_000, 1).avg).toEqual([-1.7e308]);
  });

  it("is empty for a signal or a range that has nothing", () => {
    expect(ask(START, START + 1, 10)).toEqual({ unit: null, bucketMs: null, t: [], v: [] });
    tail.addReadings(every(1_000, 10));
    expect(ask(0, START, 10).t).toEqual([]);
    expect(ask(START + DAY_MS, START + 2 * DAY_MS, 10).t).toEqual([]);
    expect(ask(0, 9e15, 10).t).toHaveLength(10);
  });

  it("shows the last text of each bucket for a signal of texts", () => {
    const states = ["off", "heating", "on"];
    tail.addReadings(every(MINUTE_MS, 90).map(({ t }, i) => ({ t, v: states[i % 3] ?? "" })));
    expect(ask(START, START + 3 * MINUTE_MS, 10)).toMatchObject({ bucketMs: null, v: states });
    const wide = ask(START, START + 90 * MINUTE_MS, 30);
    expect(wide.bucketMs).toBe(3 * MINUTE_MS);
    expect(wide.v).toEqual(Array.from({ length: 30 }, () => "on"));
    expect(wide.min).toBeUndefined();
  });
});

describe("the reading before the range", () => {
  const beforeOf = (from: number): HistoryColumns["before"] => ask(from, from + MINUTE_MS, 100).before;

  it("is the newest one, open or packed, however long ago within what is kept", () => {
    expect(beforeOf(START)).toBeUndefined();
    tail.addReadings([
      { t: START, v: 1 },
      { t: START + 1_000, v: 2 },
    ]);
    expect(beforeOf(START)).toBeNull();
    expect(beforeOf(START + 1_000)).toEqual({ t: START, v: 1 });
    pass(history.engine, clock, 2 * HOUR_MS, MINUTE_MS);
    expect(beforeOf(START + 1_000)).toEqual({ t: START, v: 1 });
    expect(beforeOf(START + 6 * DAY_MS)).toEqual({ t: START + 1_000, v: 2 });
    tail.addReadings([{ t: START + 5 * DAY_MS, v: 3 }]);
    expect(beforeOf(START + 4 * DAY_MS)).toEqual({ t: START + 1_000, v: 2 });
    expect(beforeOf(START + 6 * DAY_MS)).toEqual({ t: START + 5 * DAY_MS, v: 3 });
  });

  it("is a state of texts, too, and comes with nothing else when the range has nothing", () => {
    tail.addReadings([{ t: START, v: "open" }]);
    const answer = ask(START + HOUR_MS, START + 2 * HOUR_MS, 100);
    expect(answer).toEqual({ unit: null, bucketMs: null, t: [], v: [], before: { t: START, v: "open" } });
  });

  it("is none where readings are missing behind it; where they are missing in the range, the line breaks there", () => {
    tail.addReadings([{ t: START, v: 1 }]);
    tail.addGap();
    expect(beforeOf(START + HOUR_MS)).toBeNull();
    tail.addReadings([{ t: START + HOUR_MS, v: 2 }]);
    const answer = ask(START + 1, START + 2 * HOUR_MS, 100);
    expect(answer).toMatchObject({ before: { t: START, v: 1 }, v: [null, 2] });
    pass(history.engine, clock, 3 * HOUR_MS, MINUTE_MS);
    expect(ask(START + 1, START + 2 * HOUR_MS, 100)).toEqual(answer);
    expect(beforeOf(START + HOUR_MS - 1)).toBeNull();
  });
});

describe("a line breaks", () => {
  const nullsOf = ({ t, v, avg }: HistoryColumns): number[] => t.filter((_, i) => (v ?? avg)?.[i] === null);

  it("where the time between two readings is far longer than usual around it", () => {
    tail.addReadings(every(1_000, 60));
    tail.addReadings(every(1_000, 60, START + 65_000));
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([START + 59_001]);
  });

  it("not where a reading or two come late, nor where a device was set to measure less often", () => {
    const jitter = every(1_000, 60).map(({ t, v }, i) => ({ t: t + ((i * 7) % 5) * 100, v }));
    tail.addReadings(jitter);
    tail.addReadings(every(60_000, 60, START + 2 * MINUTE_MS));
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([]);
  });

  it("not in a signal that comes when it likes", () => {
    const times = [0, 1, 40, 41, 43, 200, 210, 211, 500, 501, 502, 900, 2_000, 2_001, 2_100];
    tail.addReadings(times.map((second, i) => ({ t: START + second * 1_000, v: i })));
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([]);
  });

  it("where the list of gaps says that readings are missing, however short, and not for the gap of one sink", () => {
    tail.addReadings(every(1_000, 10));
    tail.addGap("broker");
    tail.addReadings(every(1_000, 10, START + 10_000));
    tail.addGap();
    tail.addGap();
    tail.addReadings(every(1_000, 10, START + 21_000));
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([START + 19_001]);
    pass(history.engine, clock, 2 * HOUR_MS, MINUTE_MS);
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([START + 19_001]);
  });

  it("where readings were bad, and those do not count in figures", () => {
    tail.addReadings(every(1_000, 10));
    tail.addReadings([{ t: START + 10_000, v: -127 }], {}, 2);
    tail.addReadings(every(1_000, 10, START + 11_000));
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toEqual([START + 10_000]);
    expect(Math.min(...present(ask(START, START + 22_000, 2)).map(({ min }) => min))).toBeGreaterThanOrEqual(0);
  });

  it("between buckets too, when the gap is longer than one of them, and not between those of a slow signal", () => {
    tail.addReadings(every(1_000, 4 * 3_600));
    tail.addReadings(every(1_000, 4 * 3_600, START + 6 * HOUR_MS));
    pass(history.engine, clock, 11 * HOUR_MS, 10 * MINUTE_MS);
    const answer = ask(START, START + 10 * HOUR_MS, 100);
    expect(answer.bucketMs).toBe(6 * MINUTE_MS);
    expect(nullsOf(answer)).toEqual([START + 4 * HOUR_MS]);
    tail.addReadings(every(20 * MINUTE_MS, 36), { device: "slow" });
    const query = { device: "slow", signal: "#1", fromUnixMs: START, toUnixMs: START + 12 * HOUR_MS };
    const slow = history.engine.read({ ...query, pointsMax: 35 });
    expect(slow.bucketMs).toBeGreaterThan(0);
    expect(nullsOf(slow)).toEqual([]);
  });

  it("where the spool dropped records before the history had them", () => {
    tail.addReadings(every(1_000, 10));
    history.engine.tick();
    tail.addReadings(every(1_000, 10, START + 10_000));
    tail.addReadings(every(1_000, 10, START + 20_000));
    tail.records = tail.records.slice(2);
    expect(nullsOf(ask(START, START + DAY_MS, 500))).toHaveLength(1);
    expect(history.engine.progress().missedCount).toBe(1);
  });
});
