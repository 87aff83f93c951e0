/** The account of a board: whole, silently short, wrongly long; and what a subscriber's log may look like. */
import { describe, expect, it } from "vitest";
import { accountOf, type Gap } from "./account.js";

const line = (seq: number, count: number, more: { executed?: number; epoch?: number; name?: string } = {}): string => {
  const readings = [
    { signal: "temperature", t: 1, v: 20.5 },
    { signal: more.name ?? "count", t: 1, v: count },
    ...(more.executed === undefined ? [] : [{ signal: "executed", t: 1, v: more.executed }]),
  ];
  return `tidegate/gw/uno/data ${JSON.stringify({ id: `gw/uno/${more.epoch ?? 7}/${seq}`, device: "uno", readings })}`;
};
const gap = (fromSeq: number, toSeq: number | null, epoch = 7): Gap => ({ epoch, fromSeq, toSeq });

describe("the account of a board", () => {
  it("is whole when all readings arrived, whatever numbers answers took between them", () => {
    const log = [line(1, 1), line(2, 2), "tidegate/gw/uno/cmd/echo/result {}", line(5, 3, { executed: 2 })].join("\n");
    expect(accountOf("uno", log, [])).toMatchObject({ arrived: 3, absent: 0, listed: 0, executed: 2, faults: [] });
  });

  it("is whole when exactly as many numbers are listed between two readings as readings are absent there", () => {
    const log = [line(1, 1), line(7, 5)].join("\n");
    expect(accountOf("uno", log, [gap(3, 5)])).toMatchObject({ absent: 3, listed: 3, faults: [] });
    expect(accountOf("uno", log, [gap(3, 4)]).faults).toEqual([expect.stringMatching(/3 readings.*2 are listed/)]);
    expect(accountOf("uno", log, [gap(2, 6)]).faults).toHaveLength(1);
    expect(accountOf("uno", log, [gap(3, 5, 8)]).faults).toHaveLength(1);
  });

  it("sees a reading twice under two ids, and a repeat with other bytes", () => {
    expect(accountOf("uno", [line(1, 1), line(2, 1)].join("\n"), []).faults).toEqual([
      expect.stringContaining("twice"),
    ]);
    expect(accountOf("uno", [line(1, 1), line(1, 2)].join("\n"), []).faults).toEqual([
      expect.stringContaining("other bytes"),
    ]);
    expect(accountOf("uno", [line(1, 1), line(1, 1)].join("\n"), [])).toMatchObject({ arrived: 1, faults: [] });
  });

  it("knows readings that overtook the catalog by their number, and leaves other boards and cut lines alone", () => {
    const log = [line(1, 1, { name: "#2" }), line(2, 2), "tidegate/gw/mega/data {}", "tidegate/gw/uno/data {"].join(
      "\n",
    );
    expect(accountOf("uno", log, [])).toMatchObject({ arrived: 2, executed: -1, faults: [] });
  });
});
