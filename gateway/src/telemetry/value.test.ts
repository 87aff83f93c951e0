/** Properties of the value rules; the examples stand in gateway/test/vectors/values.json (render.test.ts runs them). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { float32Value, longValue, scaledValue, shortestByDigits } from "./value.js";

const RUNS = { numRuns: 2_000 };

test("a float prints as a decimal that reads back as the same f32", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(Number(String(float32Value(value))))).toBe(value + 0);
    }),
    RUNS,
  );
});

test("no shorter decimal is the same f32: the short way agrees with trying every number of digits", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(float32Value(value)).toBe(shortestByDigits(value) + 0);
    }),
    RUNS,
  );
});

test("the short way agrees with the long way for ordinary measurements", () => {
  fc.assert(
    fc.property(fc.integer({ min: -9_999_999, max: 9_999_999 }), fc.integer({ min: 0, max: 6 }), (count, digits) => {
      const value = Math.fround(count / 10 ** digits);
      expect(float32Value(value)).toBe(shortestByDigits(value) + 0);
    }),
    RUNS,
  );
});

test("a scaled integer prints as its digits with the point moved, without float noise", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.integer({ min: -22, max: 22 }),
      (count, scale) => {
        const value = scaledValue(count, scale);
        const exact = Number(`${count}e${scale}`) + 0;
        if (typeof value === "string") {
          expect(BigInt(value)).toBe(BigInt(count) * 10n ** BigInt(scale));
          expect(Number.isSafeInteger(exact)).toBe(false);
        } else expect(value).toBe(exact);
      },
    ),
    RUNS,
  );
});

test("a 64-bit integer reads back as itself", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      expect(BigInt(longValue(value))).toBe(value);
    }),
    RUNS,
  );
});
