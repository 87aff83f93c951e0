/** Age without a wall clock. */
import { describe, expect, it } from "vitest";
import { RunningAge } from "./running-age.js";

const HOUR_MS = 3_600_000;

describe("the age of records", () => {
  it("is the time the gateway has run since they came, over its runs, and not the time it was off", () => {
    const first = new RunningAge(null, 5_000);
    first.note(10, 5_000);
    first.note(20, 5_000 + HOUR_MS);
    expect(first.olderThan(HOUR_MS / 2, 5_000 + HOUR_MS)).toBe(10);
    // Days later, on a monotonic clock that began again or has gone on: an hour of age, as when it stopped.
    for (const startMs of [77, 100 * HOUR_MS]) {
      const second = new RunningAge(first.text, startMs);
      expect(second.olderThan(HOUR_MS / 2, startMs)).toBe(10);
      expect(second.olderThan(2 * HOUR_MS, startMs)).toBe(0);
      expect(second.olderThan(HOUR_MS, startMs + 2 * HOUR_MS)).toBe(20);
    }
  });

  it("is never above the truth, also after a crash and with a line that cannot be read", () => {
    for (const text of [null, "", "{}", "[[1]]", '[["a",2]]']) {
      expect(new RunningAge(text, 0).olderThan(1, HOUR_MS)).toBe(0);
    }
  });

  it("keeps a bounded line, precise to a few percent of the age, and nothing while nothing comes", () => {
    const age = new RunningAge(null, 0);
    const days = 40;
    for (let second = 1; second <= days * 86_400; second += 30) age.note(second, second * 1_000);
    expect(age.text.length).toBeLessThan(10_000);
    const nowMs = days * 86_400_000;
    for (const ageMs of [60_000, HOUR_MS, 24 * HOUR_MS, 30 * 24 * HOUR_MS]) {
      const exact = (nowMs - ageMs) / 1_000; // ids are seconds here
      const found = age.olderThan(ageMs, nowMs);
      expect(found).toBeLessThanOrEqual(exact);
      expect(exact - found).toBeLessThanOrEqual(60 + (ageMs / 1_000) * 0.2);
    }
    age.kept();
    age.note(1, nowMs + HOUR_MS);
    expect(age.isDirty).toBe(false);
  });
});
