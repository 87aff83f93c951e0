// Proves the last line of a test run, the counting behind it, and that one failed check hides no other.

import { describe, expect, it } from "vitest";
import { countTests } from "../testing/skip-reporter.mjs";
import { runChecks } from "./check.mjs";
import { closingLine } from "./test.mjs";

const fakeModule = (states, errors = []) => ({
  errors: () => errors,
  children: { allTests: () => states.map((state) => ({ fullName: `a ${state} test`, result: () => ({ state }) })) },
});

describe("the closing line", () => {
  it("counts passed, failed and skipped tests over all files", () => {
    const counts = countTests([fakeModule(["passed", "passed", "skipped"]), fakeModule(["failed", "pending"])], []);
    expect(closingLine(counts, 0)).toBe("2 passed, 1 failed, 2 skipped");
    expect(counts.skipped).toEqual(["a skipped test", "a pending test"]);
  });

  it("counts a file that cannot be loaded, an unhandled error and a failed check as failures", () => {
    const counts = countTests([fakeModule([], [new Error("no such import")]), fakeModule(["passed"])], [{}]);
    expect(closingLine(counts, 1)).toBe("1 passed, 3 failed");
  });
});

describe("npm run check", () => {
  it("runs every part, prints a failed one's whole output, and leaves out what this checkout lacks", async () => {
    const printed = [];
    const parts = [
      { name: "fails", args: ["-e", "console.log('the reason'); process.exit(3)"] },
      { name: "passes", args: ["-e", "console.log('3 warnings')"] },
      { name: "absent", args: ["scripts/no-such-file.mjs"], optional: true },
    ];
    expect(await runChecks(parts, (line) => printed.push(line))).toBe(1);
    expect(printed[0]).toMatch(/^ {2}FAILED {2}fails {2}\d/);
    expect(printed[1]).toContain("the reason");
    expect(printed[2]).toMatch(/^ {2}ok {6}passes \(3 warnings\) {2}\d/);
    expect(printed).toHaveLength(3);
  });
});
