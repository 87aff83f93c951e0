/** What charts are given: columns, gaps, windows, files. */
import { describe, expect, it } from "vitest";
import type { HistoryView } from "../api.js";
import { extentOf, fromEdge, gapSpans, heldUntil, offlineSpans, toColumns } from "./columns.js";
import { csvCell, toCsv } from "./csv.js";
import { joinColumns } from "./join.js";
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

  it("begin at the left edge with what was before it: a state as it was, a measurement on the line between", () => {
    const none = history({ t: [], v: [], before: { t: -500_000, v: "open" } });
    const silent = fromEdge(toColumns(none, DOOR), none.before, 0);
    expect(silent).toMatchObject({ x: [0], mid: [1], labels: ["closed", "open"] });
    expect(heldUntil(silent, 9)).toMatchObject({ x: [0, 9], mid: [1, 1] });
    const broken = history({ t: [1000, 2000], v: [null, false], before: { t: -1, v: true } });
    expect(fromEdge(toColumns(broken, DOOR), broken.before, 0)).toMatchObject({ x: [0, 1, 2], mid: [1, null, 0] });
    const line = history({ v: [4, 5, 6], before: { t: -1000, v: 2 } });
    expect(fromEdge(toColumns(line), line.before, 0)).toMatchObject({ x: [0, 1, 2, 3], mid: [3, 4, 5, 6] });
    const far = history({ v: [4, 5, 6], before: { t: -9000, v: 2 } });
    expect(fromEdge(toColumns(far), far.before, 0).x).toEqual([1, 2, 3]);
    const known = history({ v: [4, 5, 6], before: null });
    expect(fromEdge(toColumns(known, DOOR), known.before, 0).x).toEqual([1, 2, 3]);
  });

  it("of several signals keep each one's gaps, however many instants the others have within", () => {
    const one = toColumns(history({ t: [1000, 2000, 6000], v: [1, null, 2] }));
    const other = toColumns(history({ t: [1000, 2500, 3000, 4000, 6000], v: [5, 5, 5, 5, 5] }));
    const [x, first] = joinColumns([one, other]);
    expect(x).toEqual([1, 2, 2.5, 3, 4, 6]);
    expect(first).toEqual([1, null, null, null, null, 2]);
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
