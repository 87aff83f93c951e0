// Tests of one room with one mutant in it: the file is changed on its way to the tests, and nowhere else.
// Used by `npm run mutants`, which says the mutant's name in TIDEGATE_MUTANT.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { MUTANTS } from "./list.js";
import { mutated } from "./mutant.js";

/** Generous against a loaded machine: a mutant must not be noticed by slowness. */
const TEST_MS_MAX = 30_000;
const HOOK_MS_MAX = 60_000;

const root = fileURLToPath(new URL("../../..", import.meta.url));
const mutant = MUTANTS.find(({ name }) => name === process.env["TIDEGATE_MUTANT"]);
if (mutant === undefined) throw new Error("TIDEGATE_MUTANT names no mutant of firmware-sim/world/mutants");
const file = join(root, mutant.file);

export default defineConfig({
  root,
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      transform: (code, id) => (id.split("?")[0] === file ? mutated(mutant, code) : null),
    },
  ],
  test: {
    // Threads, so that one that hangs ends with the process that is killed for it.
    pool: "threads",
    maxWorkers: 1,
    bail: 1,
    reporters: ["json"],
    testTimeout: TEST_MS_MAX,
    hookTimeout: HOOK_MS_MAX,
  },
});
