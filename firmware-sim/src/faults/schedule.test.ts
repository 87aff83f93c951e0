/** Fault schedules: pure, seeded, ordered. */
import { describe, expect, it } from "vitest";
import { clockFaultOf, faultsUntil, NO_FAULTS } from "./schedule.js";

const PLAN = { dropLinkEveryMs: 30_000, rebootEveryMs: 60_000, halfOpenEveryMs: 45_000 };
const HOUR_MS = 3_600_000;

describe("fault schedule", () => {
  it("is the same for the same plan and seed, and another for another seed", () => {
    expect(faultsUntil(PLAN, 5, HOUR_MS)).toEqual(faultsUntil(PLAN, 5, HOUR_MS));
    expect(faultsUntil(PLAN, 5, HOUR_MS)).not.toEqual(faultsUntil(PLAN, 6, HOUR_MS));
  });

  it("is in order of time, and never twice at once with one kind", () => {
    const list = faultsUntil(PLAN, 1, 10 * HOUR_MS);
    expect(list.map(({ atMs }) => atMs)).toEqual(list.map(({ atMs }) => atMs).sort((a, b) => a - b));
    expect(list.every(({ atMs }) => atMs > 0)).toBe(true);
  });

  it("keeps the mean time between two faults of a kind", () => {
    const list = faultsUntil(PLAN, 2, 100 * HOUR_MS);
    const every = (kind: string) => (100 * HOUR_MS) / list.filter(({ fault }) => fault.kind === kind).length;
    expect(every("drop-link") / 30_000).toBeCloseTo(1, 1);
    expect(every("reboot") / 60_000).toBeCloseTo(1, 1);
    expect(every("half-open") / 45_000).toBeCloseTo(1, 1);
  });

  it("one kind does not move when another is added", () => {
    const drops = (plan: typeof PLAN | typeof NO_FAULTS) =>
      faultsUntil(plan, 3, HOUR_MS).filter(({ fault }) => fault.kind === "drop-link");
    expect(drops({ ...NO_FAULTS, dropLinkEveryMs: 30_000 })).toEqual(drops(PLAN));
  });

  it("is empty without faults", () => {
    expect(faultsUntil(NO_FAULTS, 1, HOUR_MS)).toEqual([]);
  });

  it("spoils one clock per boot: a wall clock within its bound, or an uptime that wraps within a minute", () => {
    const faults = Array.from({ length: 200 }, (_, boot) => clockFaultOf(1, boot, HOUR_MS));
    const skewed = faults.filter(({ unixSkewMs }) => unixSkewMs !== 0);
    const wrapping = faults.filter(({ uptimeMs }) => uptimeMs !== 0);
    expect(skewed.length + wrapping.length).toBe(200);
    expect(Math.min(skewed.length, wrapping.length)).toBeGreaterThan(50);
    expect(skewed.every(({ unixSkewMs }) => Math.abs(unixSkewMs) <= HOUR_MS)).toBe(true);
    expect(wrapping.every(({ uptimeMs }) => uptimeMs < 2 ** 32 && uptimeMs > 2 ** 32 - 60_000)).toBe(true);
  });
});
