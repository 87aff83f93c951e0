/** A rate with a burst: what is let through over any time is bounded, and rest is paid back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenBucket } from "./token-bucket.js";

describe("the token bucket", () => {
  it("lets a burst through and then the rate, never more", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 200 }), (pausesMs) => {
        const bucket = new TokenBucket(10, 5, 0);
        let now = 0;
        let taken = 0;
        for (const pause of pausesMs) {
          now += pause;
          if (bucket.tryTake(now)) taken += 1;
          expect(taken).toBeLessThanOrEqual(5 + (now * 10) / 1000 + 1e-6);
        }
      }),
    );
  });

  it("says how long a debt takes to pay", () => {
    const bucket = new TokenBucket(10, 2, 0);
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(0);
    expect(bucket.take(0)).toBe(100);
    expect(bucket.take(0)).toBe(200);
    expect(bucket.take(1000)).toBe(0);
  });

  it("does not lend against a clock that stands still or goes back", () => {
    const bucket = new TokenBucket(1000, 1, 500);
    expect(bucket.tryTake(500)).toBe(true);
    expect(bucket.tryTake(400)).toBe(false);
    expect(bucket.tryTake(500)).toBe(false);
  });
});
