// How rounds become a row: medians, ratios, verdicts.

import { describe, expect, it } from "vitest";
import { makeRow, median } from "./result.mjs";

const measures = (...values) => values.map((value) => ({ value, columns: {} }));
const SPEC = { id: "T1", title: "ingest", unit: "1/s", against: "fastest", direction: "atLeast", target: 4 };

describe("the median", () => {
  it("is the middle of an odd and the mean of the middle two of an even count", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 7])).toBe(6);
  });

  it("leaves out what is unknown, and is unknown for nothing", () => {
    expect(median([null, 3, null])).toBe(3);
    expect(median([null])).toBeNull();
    expect(median([])).toBeNull();
  });
});

describe("a row of the benchmark", () => {
  it("compares medians with the fastest peer, whose name it tells", () => {
    const row = makeRow(SPEC, { ours: measures(300, 500, 400), slow: measures(50), fast: measures(90, 110, 100) }, []);
    expect(row).toMatchObject({ ours: 400, peers: { slow: 50, fast: 100 }, ratio: 4, against: "fast", met: true });
  });

  it("compares with a named peer even when another one is faster", () => {
    const row = makeRow(
      { ...SPEC, against: "slow" },
      { ours: measures(100), slow: measures(50), fast: measures(99) },
      [],
    );
    expect(row).toMatchObject({ ratio: 2, against: "slow", met: false });
  });

  it("takes a smaller ratio as the better one where the target is an upper bound", () => {
    const spec = { ...SPEC, against: "peer", direction: "atMost", target: 1.2 };
    expect(makeRow(spec, { ours: measures(36), peer: measures(30) }, []).met).toBe(true);
    expect(makeRow(spec, { ours: measures(37), peer: measures(30) }, []).met).toBe(false);
  });

  it("is not met while one of its conditions does not hold", () => {
    const conditions = (columns) => [{ name: "small", met: columns["RSS MB"] < 400 }];
    const ours = [{ value: 500, columns: { "RSS MB": 500 } }];
    expect(makeRow({ ...SPEC, conditions }, { ours, peer: measures(100) }, []).met).toBe(false);
  });

  it("says unknown, never met, when ours or every peer is absent", () => {
    const unknown = { ratio: null, met: null };
    expect(makeRow(SPEC, { ours: measures(100) }, [])).toMatchObject(unknown);
    expect(makeRow(SPEC, { ours: [], peer: measures(100) }, [])).toMatchObject({ ...unknown, ours: null });
  });

  it("keeps every round, and the medians of the columns that are known", () => {
    const ours = [
      { value: 10, columns: { cpu: 3, disk: null } },
      { value: 20, columns: { cpu: 5, disk: 7 } },
    ];
    const row = makeRow(SPEC, { ours, peer: measures(1) }, []);
    expect(row.rounds.ours).toEqual([10, 20]);
    expect(row.ratios).toEqual([10]);
    expect(row.columns.ours).toEqual({ cpu: 4, disk: 7 });
  });
});
