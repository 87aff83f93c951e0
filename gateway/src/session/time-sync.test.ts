/** Time mapping over all delays, uptimes and wraps. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { olderBootUnixMs, TimeSync } from "./time-sync.js";

const DAY_MS = 86_400_000;

describe("time sync", () => {
  it("[P-23] is never more than 2 s off after the first ping, whatever the delays and the uptime", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 1900 }),
        fc.integer({ min: 0, max: 1900 }),
        fc.integer({ min: 0, max: 30 * DAY_MS }),
        (bootUptime, downMs, upMs, readingAgeMs) => {
          // The device's true uptime at gateway time t is bootUptime + t, wrapped.
          const uptime = (t: number) => (bootUptime + t) % 2 ** 32;
          const sync = new TimeSync(5000, Math.floor(uptime(4000)));
          const sent = 10_000;
          sync.pingAnswered(sent, sent + downMs + upMs, Math.floor(uptime(sent + downMs)));
          const now = 40 * DAY_MS;
          const age = sync.ageMs(now, Math.floor(uptime(now - readingAgeMs)));
          expect(Math.abs(age - readingAgeMs)).toBeLessThanOrEqual(2000);
        },
      ),
    );
  });

  it("[P-23] keeps the best of the last eight pings, and forgets older ones", () => {
    const sync = new TimeSync(0, 0);
    sync.pingAnswered(1000, 1010, 1005);
    expect(sync.rttMs).toBe(10);
    for (let i = 1; i <= 8; i++) sync.pingAnswered(i * 10_000, i * 10_000 + 100, i * 10_000 + 50);
    expect(sync.rttMs).toBe(100);
  });

  it("follows an uptime that wraps at 2^32 ms between the reading and now", () => {
    const beforeWrap = 2 ** 32 - 500;
    const sync = new TimeSync(0, beforeWrap);
    sync.pingAnswered(0, 0, beforeWrap);
    expect(sync.uptimeAt(1000)).toBe(500);
    expect(sync.ageMs(1000, beforeWrap)).toBe(1000);
  });

  it("[P-16] gives deadlines in device uptime that are never later than true", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 1, max: DAY_MS }),
        (bootUptime, downMs, upMs, ttlMs) => {
          const uptime = (t: number) => (bootUptime + t) % 2 ** 32;
          const sync = new TimeSync(1000 + upMs, Math.floor(uptime(1000)));
          const check = (now: number) => {
            const deadline = sync.deadlineUptime(now, now + ttlMs);
            if (deadline === null) return;
            const trueDeadline = uptime(now + ttlMs);
            // Signed distance on the circle: the given deadline lies at or before the true one.
            const late = ((deadline - trueDeadline + 2 ** 31 + 2 ** 32) % 2 ** 32) - 2 ** 31;
            expect(late).toBeLessThanOrEqual(0);
          };
          check(1500 + upMs);
          sync.pingAnswered(2000, 2000 + downMs + upMs, Math.floor(uptime(2000 + downMs)));
          check(5000);
        },
      ),
    );
  });

  it("[P-23] never stamps a reading of an older boot into the future when that uptime had wrapped", () => {
    const offset = 1_700_000_000_000;
    const now = offset + 5000;
    expect(olderBootUnixMs(offset, 2 ** 32 - 1000, now)).toBe(offset - 1000);
    expect(olderBootUnixMs(offset, 4000, now)).toBe(offset + 4000);
  });
});
