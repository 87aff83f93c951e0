// How `npm test` runs: every package and the scripts in one vitest run, from the root of the repository.
//
// Cross-package imports resolve to the built `dist/` folders (a storage worker cannot be loaded from TypeScript
// sources), so `scripts/test.mjs` builds first. When you call vitest yourself, run `npm run build` before it.

import { defineConfig } from "vitest/config";

/** Two workers: the suite has to behave on a two-core machine, where more of them only steal time from timers. */
const WORKERS_MAX = 2;

/** Generous against a loaded machine, short enough that a hang is noticed; end-to-end tests set their own. */
const TEST_TIMEOUT_MS = 20_000;

/** Hooks start brokers and gateways. */
const HOOK_TIMEOUT_MS = 60_000;

export default defineConfig({
  test: {
    include: [
      "{proto,gateway,firmware-sim,hardware}/**/*.test.{ts,mjs}",
      "device-sdk/**/*.test.{ts,mjs}",
      "scripts/**/*.test.{ts,mjs}",
    ],
    exclude: ["**/node_modules/**", "**/dist/**", "**/generated/**"],
    pool: "forks",
    maxWorkers: WORKERS_MAX,
    testTimeout: TEST_TIMEOUT_MS,
    hookTimeout: HOOK_TIMEOUT_MS,
    teardownTimeout: HOOK_TIMEOUT_MS,
    reporters: ["default", "./scripts/testing/skip-reporter.mjs"],
    coverage: {
      provider: "v8",
      include: ["proto/src/**", "gateway/src/**", "device-sdk/ts/src/**", "firmware-sim/src/**"],
      exclude: ["**/*.test.ts", "**/testing/**"],
    },
  },
});
