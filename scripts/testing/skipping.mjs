// Whether a test whose program is absent may be skipped. Apart from requires.mjs, because that one needs vitest.

/** True where a missing program must fail the test instead of skipping it. */
export function skippingIsForbidden(env = process.env) {
  return env.CI === "true" || env.CI === "1" || env.TIDEGATE_NO_SKIP === "1";
}
