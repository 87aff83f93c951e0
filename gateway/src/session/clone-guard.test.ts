/** Clones are locked out, flapping links and rebooting devices are not. */
import { describe, expect, it } from "vitest";
import { CLONE_QUARANTINE_MS, CloneGuard } from "./clone-guard.js";

describe("the clone guard", () => {
  it("[P-14] locks an identity out when two devices take turns more than three times a minute", () => {
    const guard = new CloneGuard(3);
    const verdicts = [1, 2, 1, 2, 1, 2].map((nonce, i) => guard.hello(nonce, i * 1000));
    expect(verdicts).toEqual([0, 0, 0, 0, 0, CLONE_QUARANTINE_MS]);
    expect(guard.hello(1, 6000)).toBeGreaterThan(0);
    expect(guard.hello(1, 6000 + CLONE_QUARANTINE_MS)).toBe(0);
  });

  it("lets a device whose link flaps reconnect as often as it needs", () => {
    const guard = new CloneGuard(3);
    for (let i = 0; i < 100; i++) expect(guard.hello(7, i * 100)).toBe(0);
  });

  it("lets a device reboot as often as it does", () => {
    const guard = new CloneGuard(3);
    for (let i = 1; i < 100; i++) expect(guard.hello(i, i * 100)).toBe(0);
  });

  it("forgives turns that are spread over a long time", () => {
    const guard = new CloneGuard(3);
    for (let i = 0; i < 50; i++) expect(guard.hello(1 + (i % 2), i * 40_000)).toBe(0);
  });
});
