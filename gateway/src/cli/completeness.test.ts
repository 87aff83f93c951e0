/** The proof of completeness, from messages alone. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Completeness } from "./completeness.js";

const data = (seq: number, epoch = 7): [string, string] => [
  "tidegate/gw/attic-7/data",
  `{"id":"gw/attic-7/${epoch}/${seq}"}`,
];
const gap = (fromSeq: number, toSeq: number | null): [string, string] => [
  "tidegate/gw/attic-7/gap",
  JSON.stringify({ id: "x", device: "attic-7", epoch: 7, fromSeq, toSeq }),
];
const watermark = (seq: number): [string, string] => [
  "tidegate/gw/attic-7/watermark",
  JSON.stringify({ device: "attic-7", epoch: 7, seq }),
];

function reportOf(messages: readonly [string, string][], sinceFirst = false) {
  const proof = new Completeness();
  for (const [topic, payload] of messages) proof.take(topic, payload);
  return proof.report(sinceFirst)[0];
}

describe("the proof of completeness", () => {
  it("is given when every number up to the watermark is here or listed", () => {
    const messages = [data(1), data(2), gap(3, 5), data(6), watermark(6)];
    expect(reportOf(messages)).toMatchObject({ from: 1, to: 6, hereCount: 3, listedCount: 3, missingCount: 0 });
  });

  it("fails at a number in the middle, and at an end that never came", () => {
    expect(reportOf([data(1), data(3)])).toMatchObject({ missing: [[2, 2]], missingCount: 1 });
    expect(reportOf([data(1), watermark(4)])).toMatchObject({ missing: [[2, 4]], missingCount: 3 });
  });

  it("counts repeats once, and what is both here and listed as here", () => {
    expect(reportOf([data(1), data(1), gap(1, 2), data(2)])).toMatchObject({ hereCount: 2, listedCount: 0 });
  });

  it("takes the open end of an epoch for all that may have followed, whatever is heard of it later", () => {
    const messages = [data(1), data(2), gap(3, null), gap(38, 57)];
    expect(reportOf(messages)).toMatchObject({ to: 57, hereCount: 2, listedCount: 55, missingCount: 0 });
    expect(reportOf([data(1), gap(3, null), gap(38, 57)])).toMatchObject({ missing: [[2, 2]] });
  });

  it("begins with the first number seen for a consumer that joined later", () => {
    expect(reportOf([data(50), data(51)])).toMatchObject({ missingCount: 49 });
    expect(reportOf([data(50), data(51)], true)).toMatchObject({ from: 50, missingCount: 0 });
  });

  it("keeps epochs apart, and knows what is no message", () => {
    const proof = new Completeness();
    for (const [topic, payload] of [data(1), data(1, 8), data(2, 8)]) proof.take(topic, payload);
    expect(proof.report().map(({ epoch, to }) => [epoch, to])).toEqual([
      [7, 1],
      [8, 2],
    ]);
    proof.take("tidegate/gw/attic-7/data", "garbage");
    proof.take("tidegate/gw/attic-7/gap", "[]");
    proof.take("tidegate/gw/attic-7/status", "online");
    expect(proof.unreadCount).toBe(2);
  });

  it("finds exactly the numbers that are neither here nor listed, in whatever order the messages come", () => {
    const numbers = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 60 });
    const ranges = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(numbers, ranges, (here, gaps) => {
        const messages = [...here.map((seq) => data(seq)), ...gaps.map(([from, more]) => gap(from, from + more))];
        const report = reportOf([...messages, watermark(70)]);
        const known = new Set([
          ...here,
          ...gaps.flatMap(([from, more]) => Array.from({ length: more + 1 }, (_, i) => from + i)),
        ]);
        const missing = Array.from({ length: 70 }, (_, i) => i + 1).filter((seq) => !known.has(seq));
        const found = (report?.missing ?? []).flatMap(([a, b]) => Array.from({ length: b - a + 1 }, (_, i) => a + i));
        expect(report?.missingCount).toBe(missing.length);
        expect(found).toEqual(missing.slice(0, found.length));
        expect(report?.hereCount).toBe(new Set(here).size);
      }),
    );
  });
});
