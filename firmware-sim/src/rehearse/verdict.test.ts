/** The checker finds each kind of broken promise: it is only worth something when it can say no. */
import { describe, expect, it } from "vitest";
import { verdictText } from "../cli/rehearse-command.js";
import { isClean, judge } from "./verdict.js";

const line = (seq: number, value: number, options: { epoch?: number; more?: string } = {}) =>
  `tidegate/gw/d1/data {"id":"gw/d1/${options.epoch ?? 7}/${seq}","device":"d1","readings":[{"signal":"count","t":1,"v":${value},"q":"good"}]${options.more ?? ""}}`;

const SENDER = { device: "d1", attempted: 3, acked: 3 };
const verdictOf = (...lines: string[]) => judge([SENDER], lines.join("\n"), "count");

describe("the checker", () => {
  it("is content with everything once and in order, repeats under the same id included", () => {
    const verdict = verdictOf("tidegate/gw/status online", line(1, 0), line(2, 1), line(2, 1), line(3, 2));
    expect(verdict).toMatchObject({ attempted: 3, acked: 3, unique: 3, repeats: 1, faults: [] });
    expect(isClean(verdict)).toBe(true);
    expect(verdictText(verdict)).toContain("kept:");
  });

  it("misses what was acked and never arrived", () => {
    const verdict = verdictOf(line(1, 0), line(3, 2));
    expect(verdict).toMatchObject({ missing: 1 });
    expect(verdict.faults[0]).toContain("reading 1 was acked");
    expect(verdictText(verdict)).toContain("BROKEN");
  });

  it("does not miss what was never acked", () => {
    expect(isClean(judge([{ ...SENDER, acked: 2 }], [line(1, 0), line(2, 1)].join("\n"), "count"))).toBe(true);
  });

  it("sees a reading under two ids, a repeat with other bytes, a wrong order and an invention", () => {
    expect(verdictOf(line(1, 0), line(2, 1), line(3, 2), line(4, 2))).toMatchObject({ doubled: 1 });
    expect(verdictOf(line(1, 0), line(1, 0, { more: ',"x":1' }), line(2, 1), line(3, 2))).toMatchObject({ altered: 1 });
    expect(verdictOf(line(2, 1), line(1, 0), line(3, 2))).toMatchObject({ outOfOrder: 1 });
    expect(verdictOf(line(1, 0), line(2, 1), line(3, 2), line(4, 9))).toMatchObject({ invented: 1 });
  });

  it("orders each epoch for itself", () => {
    expect(isClean(verdictOf(line(5, 0), line(1, 1, { epoch: 8 }), line(2, 2, { epoch: 8 })))).toBe(true);
  });
});
