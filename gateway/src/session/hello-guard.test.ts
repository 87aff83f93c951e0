/** Late Hellos are dropped, clones are locked out, flapping links and rebooting devices are let in. */
import { describe, expect, it } from "vitest";
import { CLONE_QUARANTINE_MS, HelloGuard } from "./hello-guard.js";

const say = (guard: HelloGuard, bootNonce: number, attempt: number, atMs: number, takesOver = true) =>
  guard.hello({ bootNonce, attempt, takesOver }, atMs);
const lets = (guard: HelloGuard, bootNonce: number, attempt: number, atMs = 0) =>
  say(guard, bootNonce, attempt, atMs).let;

describe("the hello guard", () => {
  it("[P-5] drops a Hello that was held up on a link the device has given up since", () => {
    const guard = new HelloGuard(3);
    expect(lets(guard, 7, 2)).toBe("in");
    expect(lets(guard, 7, 1)).toBe("drop");
    expect(lets(guard, 7, 2)).toBe("drop");
    expect(lets(guard, 7, 3)).toBe("in");
  });

  it("[P-5] drops a late Hello of the boot before", () => {
    const guard = new HelloGuard(3);
    expect(lets(guard, 7, 5)).toBe("in");
    expect(lets(guard, 8, 1)).toBe("in");
    expect(lets(guard, 7, 4)).toBe("drop");
  });

  it("[P-14] locks an identity out when two devices take turns more than three times a minute", () => {
    const guard = new HelloGuard(3);
    const verdicts = [1, 2, 1, 2, 1, 2].map((nonce, i) => say(guard, nonce, i + 1, i * 1000));
    expect(verdicts.map((verdict) => verdict.let)).toEqual(["in", "in", "in", "in", "in", "out"]);
    expect(verdicts.at(-1)).toEqual({ let: "out", lockedOutMs: CLONE_QUARANTINE_MS });
    expect(lets(guard, 1, 7, 6000)).toBe("out");
    expect(lets(guard, 1, 8, 6000 + CLONE_QUARANTINE_MS)).toBe("in");
  });

  it("[P-14] does not take a device for two because Hellos of the boot before come out of dead links", () => {
    const guard = new HelloGuard(3);
    say(guard, 1, 5, 0);
    say(guard, 2, 1, 1_000);
    for (let i = 0; i < 3; i++) {
      // The ghost takes the session from the living; nobody speaks in it before the device is back.
      expect(say(guard, 1, 6 + i, 2_000 * (i + 1), true).let).toBe("in");
      expect(say(guard, 2, 2 + i, 2_000 * (i + 1) + 500, false).let).toBe("in");
    }
  });

  it("lets a device whose link flaps reconnect as often as it needs", () => {
    const guard = new HelloGuard(3);
    for (let i = 1; i < 100; i++) expect(lets(guard, 7, i, i * 100)).toBe("in");
  });

  it("lets a device reboot as often as it does", () => {
    const guard = new HelloGuard(3);
    for (let i = 1; i < 100; i++) expect(lets(guard, i, 1, i * 100)).toBe("in");
  });

  it("forgives turns that are spread over a long time", () => {
    const guard = new HelloGuard(3);
    for (let i = 0; i < 50; i++) expect(lets(guard, 1 + (i % 2), i + 1, i * 40_000)).toBe("in");
  });
});
