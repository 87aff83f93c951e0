/** Schedules become events at their time. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.js";
import { FaultDriver } from "./fault-driver.js";
import { faultsOf, faultsUntil } from "./schedule.js";

const PLAN = { dropLinkEveryMs: 10_000, rebootEveryMs: 20_000, halfOpenEveryMs: 15_000 };

describe("fault driver", () => {
  it("makes every fault of the schedule happen once, at its time, and leaves no timer", () => {
    const clock = new ManualClock();
    const seen: { atMs: number; kind: string }[] = [];
    const note = (kind: string) => () => {
      seen.push({ atMs: clock.monoMs(), kind });
      return kind !== "reboot";
    };
    const target = { dropLink: note("drop-link"), reboot: note("reboot"), halfOpen: note("half-open") };
    const driver = new FaultDriver(faultsOf(PLAN, 8), target, clock);
    driver.start();
    clock.advance(300_000);
    driver.stop();
    expect(seen).toEqual(faultsUntil(PLAN, 8, 300_001).map(({ atMs, fault }) => ({ atMs, kind: fault.kind })));
    expect(driver.counts["drop-link"]).toBe(seen.filter(({ kind }) => kind === "drop-link").length);
    expect(driver.counts.reboot).toBe(0);
    expect(clock.timers).toBe(0);
  });
});
