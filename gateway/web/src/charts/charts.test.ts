/** What charts are given: columns, gaps, windows, files. */
import { describe, expect, it } from "vitest";
import type { HistoryView } from "../api.js";
import { extentOf, gapSpans, heldUntil, offlineSpans, toColumns } from "./columns.js";
import { csvCell, toCsv } from "./csv.js";
import { edgesOf, parseWindow, zoomQuery } from "./time-window.js";

const history = (rest: Partial<HistoryView>): HistoryView => ({
  device: "a",
  signal: "t",
  unit: "°C",
  from: 0,
  to: 9000,
  bucketMs: null,
  t: [1000, 2000, 3000],
  ...rest,
});

const DOOR = { options: ["closed", "open"], deviceClass: "", holds: true };

describe("columns", () => {
  it("of raw numbers keep gaps; of buckets have a band", () => {
    const raw = toColumns(history({ v: [1, null, 3] }));
    expect(raw).toMatchObject({ x: [1, 2, 3], mid: [1, null, 3], low: null, high: null, labels: null, unit: "°C" });
    const buckets = toColumns(history({ bucketMs: 60, min: [0, null, 2], avg: [1, null, 3], max: [2, null, 4] }));
    expect(buckets).toMatchObject({ mid: [1, null, 3], low: [0, null, 2], high: [2, null, 4] });
    expect(extentOf(buckets)).toEqual({ low: 0, high: 4, last: 3 });
    expect(extentOf(toColumns(history({ t: [], v: [] })))).toBeNull();
  });

  it("of states become steps with words, in the order of the catalog, and never more words than fit", () => {
    expect(toColumns(history({ v: [true, null, false] }))).toMatchObject({
      mid: [1, null, 0],
      labels: ["off", "on"],
    });
    const door = toColumns(history({ v: ["open", "closed", "ajar"] }), DOOR);
    expect(door).toMatchObject({ mid: [1, 0, 2], labels: ["closed", "open", "ajar"] });
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
    const many = toColumns(history({ t: words.map((_, i) => i), v: words }));
    expect(many.labels).toHaveLength(12);
    expect(many.mid.at(-1)).toBe(11);
  });

  it("say what a boolean means, and hold a state up to now but no number", () => {
    const door = toColumns(history({ v: [true, null, false] }), { ...DOOR, options: [], deviceClass: "door" });
    expect(door.labels).toEqual(["closed", "open"]);
    expect(heldUntil(door, 9)).toMatchObject({ x: [1, 2, 3, 9], mid: [1, null, 0, 0] });
    expect(heldUntil(door, 2)).toBe(door);
    const number = toColumns(history({ v: [1, 2, 3] }));
    expect(heldUntil(number, 9)).toBe(number);
  });

  it("gaps lie between values, not before the first or after the last", () => {
    expect(gapSpans([1, 2, 3, 4, 5, 6], [null, 1, null, null, 2, null])).toEqual([{ from: 2, to: 5 }]);
    expect(gapSpans([], [])).toEqual([]);
  });

  it("a device is offline from the change that says so until the next that does not, or until now", () => {
    const at = (s: number, presence: string) => ({ at: new Date(s * 1000).toISOString(), presence });
    expect(offlineSpans([at(1, "offline"), at(3, "online"), at(5, "offline")], 9000)).toEqual([
      { from: 1, to: 3 },
      { from: 5, to: 9 },
    ]);
    expect(offlineSpans([at(1, "online"), at(3, "sleeping")], 9000)).toEqual([]);
  });
});

describe("a window", () => {
  it("moves with the clock or stands still, and a bad one is the last hour", () => {
    expect(edgesOf(parseWindow(new URLSearchParams("range=5m")), 1e12)).toEqual({
      fromUnixMs: 1e12 - 3e5,
      toUnixMs: 1e12,
    });
    const zoomed = parseWindow(new URLSearchParams(zoomQuery(1000, 1060)));
    expect(zoomed).toMatchObject({ range: "", refreshMs: 0 });
    expect(edgesOf(zoomed, 1e12)).toEqual({ fromUnixMs: 1_000_000, toUnixMs: 1_060_000 });
    for (const bad of ["range=1y", "from=5&to=1", "from=x&to=y", "from=-1&to=9999", "from=1000&to=1001"]) {
      expect(parseWindow(new URLSearchParams(bad)).range).toBe("1h");
    }
  });

  it("is fetched again often enough to look alive, and never in a hurry", () => {
    const everyMs = ["5m", "1h", "7d", "30d"].map((range) => parseWindow(new URLSearchParams({ range })).refreshMs);
    expect(everyMs).toEqual([5000, 15_000, 300_000, 300_000]);
  });
});

describe("CSV", () => {
  it("quotes what needs it and never lets a text be a formula", () => {
    expect(["-5.2", "a,b", 'say "hi"', "=1+1", "@x", "+49", "-x"].map(csvCell)).toEqual([
      "-5.2",
      '"a,b"',
      '"say ""hi"""',
      "'=1+1",
      "'@x",
      "+49",
      "'-x",
    ]);
  });

  it("has a line per instant, words for states, and empty cells for gaps", () => {
    const columns = toColumns(history({ t: [0, 1000], v: ["open", null], unit: "" }));
    expect(toCsv([{ device: "a", signal: "door", columns }])).toBe(
      "time,device,signal,unit,value,min,max\r\n" +
        "1970-01-01T00:00:00.000Z,a,door,,open,,\r\n1970-01-01T00:00:01.000Z,a,door,,,,\r\n",
    );
  });
});
