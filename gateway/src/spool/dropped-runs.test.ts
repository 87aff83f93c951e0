/** What is lost with dropped records, as ranges: exact, and nothing twice in the permanent list. */
import { describe, expect, it } from "vitest";
import { type GapBody, RecordKind } from "../model/record.js";
import { type LostRecord, lossOf } from "./dropped-runs.js";

const WHY = { reason: "dropped", sink: null, atUnixMs: 5 } as const;

function data(deviceKey: number, seq: number, epoch = 7): LostRecord {
  return { deviceKey, epoch, seq, kind: RecordKind.telemetry, receivedUnixMs: 1, body: null };
}

function gap(deviceKey: number, body: GapBody): LostRecord {
  const bytes = new TextEncoder().encode(JSON.stringify(body));
  return { deviceKey, epoch: 7, seq: body.fromSeq, kind: RecordKind.gap, receivedUnixMs: 1, body: bytes };
}

const ranges = (gaps: readonly { deviceKey: number; fromSeq: number; toSeq: number | null }[]) =>
  gaps.map(({ deviceKey, fromSeq, toSeq }) => [deviceKey, fromSeq, toSeq]);

describe("what is lost with dropped records", () => {
  it("is listed as exact ranges per device and epoch, also when devices alternate", () => {
    const loss = lossOf([data(1, 4), data(2, 9), data(1, 5), data(1, 7), data(2, 10), data(1, 8, 6)], WHY);
    expect(ranges(loss.permanent)).toEqual([
      [1, 4, 5],
      [2, 9, 10],
      [1, 7, 7],
      [1, 8, 8],
    ]);
    expect(loss.inBand).toEqual(loss.permanent);
  });

  it("tells a dropped gap record again, joined to its neighbours, but lists no number twice", () => {
    const before = gap(1, { fromSeq: 1, toSeq: 3, reason: "dropped", sink: null });
    const loss = lossOf([before, data(1, 4), data(1, 5)], WHY);
    expect(ranges(loss.permanent)).toEqual([[1, 4, 5]]);
    expect(ranges(loss.inBand)).toEqual([[1, 1, 5]]);
    // Also when the earlier range was written behind the records it now meets.
    expect(ranges(lossOf([data(1, 4), before], WHY).inBand)).toEqual([[1, 1, 4]]);
  });

  it("tells gap records of other reasons again as they were", () => {
    const open = gap(1, { fromSeq: 8, toSeq: null, reason: "restart", sink: null });
    const loss = lossOf([open, data(1, 9)], WHY);
    expect(loss.inBand[0]).toMatchObject({ fromSeq: 8, toSeq: null, reason: "restart", atUnixMs: 1 });
    expect(ranges(loss.permanent)).toEqual([[1, 9, 9]]);
  });

  it("counts command outcomes, which have no number", () => {
    expect(lossOf([{ ...data(1, 0, 0), kind: RecordKind.commandOutcome }], WHY)).toEqual({
      permanent: [],
      inBand: [],
      outcomeCount: 1,
    });
  });
});
