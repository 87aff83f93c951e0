/** Bad lines: seeded, in their shares, the same however the bytes are cut. */
import { describe, expect, it } from "vitest";
import { LineFaults, NO_LINE_ERRORS } from "./line-faults.js";

const BYTES = Uint8Array.from({ length: 40_000 }, (_, at) => at & 0xff);

describe("a line", () => {
  it("passes everything when it is good", () => {
    expect(new LineFaults(NO_LINE_ERRORS, 1).pass(BYTES)).toBe(BYTES);
  });

  it("hits, loses and adds bytes in the shares it was given, one bit at a time", () => {
    const line = new LineFaults({ flipped: 0.01, lost: 0.005, inserted: 0.002 }, 5);
    const out = line.pass(BYTES);
    const { flipped, lost, inserted } = line.counts;
    expect(flipped / BYTES.length).toBeCloseTo(0.01, 2);
    expect(lost / BYTES.length).toBeCloseTo(0.005, 2);
    expect(out.length).toBe(BYTES.length - lost + inserted);
    const hit = new LineFaults({ ...NO_LINE_ERRORS, flipped: 0.5 }, 2).pass(BYTES);
    const turned = hit.map((byte, at) => byte ^ (BYTES[at] ?? 0)).filter((bits) => bits !== 0);
    expect(turned.every((bits) => (bits & (bits - 1)) === 0)).toBe(true);
  });

  it("does the same for the same seed, however the bytes are cut", () => {
    const rates = { flipped: 0.01, lost: 0.01, inserted: 0.01 };
    const whole = new LineFaults(rates, 9).pass(BYTES);
    const cut = new LineFaults(rates, 9);
    const parts = [];
    for (let at = 0; at < BYTES.length; at += 7) parts.push(cut.pass(BYTES.subarray(at, at + 7)));
    expect(Buffer.concat(parts).equals(Buffer.from(whole))).toBe(true);
    expect(Buffer.from(new LineFaults(rates, 10).pass(BYTES)).equals(Buffer.from(whole))).toBe(false);
  });
});
