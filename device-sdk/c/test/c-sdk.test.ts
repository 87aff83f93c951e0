/**
 * Builds the C edition with the host's compiler and runs its own tests: golden vectors, scenarios, torture.
 *
 * Each C test program prints one `ok - a sentence` per test; a failure names file and line. The warnings test compiles
 * for every target whose compiler is here.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "vitest";
import { requires } from "../../../scripts/testing/requires.mjs";

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const BUILD_TIMEOUT_MS = 240_000;

const withCompiler = requires("gcc", "make");

/** Runs `make` in the C edition's folder and returns what it printed. */
async function make(...args: string[]): Promise<string> {
  // MAKEFLAGS of an outer make would turn on its options here.
  const { stdout } = await run("make", ["--no-print-directory", ...args], {
    cwd: FOLDER,
    env: { ...process.env, MAKEFLAGS: "", ASAN_OPTIONS: "detect_leaks=0", LD_PRELOAD: "" },
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}

withCompiler.describe("the C edition of the device SDK", () => {
  withCompiler.it(
    "passes its vectors, scenarios and torture under the address and undefined-behaviour sanitizers",
    async () => {
      const output = await make("-j2", "test");
      expect(output).not.toContain("not ok");
      expect(output.match(/^ok - /gm)?.length ?? 0).toBeGreaterThan(60);
    },
    BUILD_TIMEOUT_MS,
  );

  withCompiler.it(
    "compiles without a warning on every compiler that is installed",
    async () => {
      expect(await make("warnings")).toContain("clean: gcc");
    },
    BUILD_TIMEOUT_MS,
  );
});

withCompiler.describe("what the tests of the C edition reach", () => {
  withCompiler.it(
    "is every line, and at least 97 % of the branches",
    async () => {
      expect(await make("coverage")).toContain("all of src/: lines 100.0 %");
    },
    BUILD_TIMEOUT_MS,
  );
});

const withClang = requires("clang", "make");

withClang.describe("the parsers of the C edition", () => {
  withClang.it(
    "survive mutations of everything a gateway says, with a page that faults behind every buffer",
    async () => {
      const output = await make("-j2", "storm", "STORM=100000");
      expect(output.match(/^100000 executions/gm)).toHaveLength(4);
    },
    BUILD_TIMEOUT_MS,
  );
});

const withCppcheck = requires("cppcheck", "make", "python3");

withCppcheck.describe("the deviations of the C edition from MISRA C:2012", () => {
  withCppcheck.it(
    "are those that MISRA.md lists with their reasons",
    async () => {
      expect(await make("misra")).toContain(" 0 rules over what MISRA.md lists");
    },
    BUILD_TIMEOUT_MS,
  );
});

const withTargets = requires("arm-none-eabi-gcc", "avr-gcc");

withTargets.describe("the cost of the C edition on its targets", () => {
  withTargets.it(
    "has not grown, stays within its RAM and stack, and brings no data, heap, stdio or float formatting",
    async () => {
      const script = fileURLToPath(new URL("../../../scripts/c-size.mjs", import.meta.url));
      const { stdout } = await run(process.execPath, [script, "--check"]);
      expect(stdout).toContain("| Cortex-M0+ |");
    },
    BUILD_TIMEOUT_MS,
  );
});
