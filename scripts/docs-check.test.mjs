// The pages that must equal the program, and that a difference is noticed.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configurationPage } from "../gateway/src/config/reference.ts";
import { ERRORS } from "../gateway/src/core/errors.ts";
import { CONFIGURATION_PAGE, configurationProblems, ERRORS_PAGE, errorProblems } from "./docs-check.mjs";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

describe("docs/configuration.md", () => {
  it("is what the schema says", () => {
    expect(configurationProblems(read(CONFIGURATION_PAGE), configurationPage())).toEqual([]);
  });

  it("names its first line that differs", () => {
    expect(configurationProblems("a\nx\nc", "a\nb\nc")).toEqual([expect.stringContaining("configuration.md:2:")]);
    expect(configurationProblems("a\nb\n", "a\nb")).toHaveLength(1);
  });

  it("has every setting with a meaning", () => {
    const rows = configurationPage()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    expect(rows.length).toBeGreaterThan(60);
    for (const row of rows) {
      const cells = row.split(" | ");
      expect(cells.length, row).toBeGreaterThanOrEqual(4);
      expect(cells[1]?.trim(), row).not.toBe("");
    }
  });
});

describe("docs/errors.md", () => {
  it("has every code with what it means and what the operator does", () => {
    expect(errorProblems(read(ERRORS_PAGE), ERRORS)).toEqual([]);
  });

  it("is found wrong when a code is missing, unknown, twice, or says something else", () => {
    const errors = { E_A: { what: "it broke", fix: "mend it", exit: 1, http: 500 } };
    const good = "# Errors\n\n### E_A\n\nIt broke. Exit 1, HTTP 500.\n\nText.\n\n**Do:** mend it, soon.\n\n## Next\n";
    expect(errorProblems(good, errors)).toEqual([]);
    expect(errorProblems("", errors)).toHaveLength(1);
    expect(errorProblems(`${good}### E_B\n`, errors)).toHaveLength(1);
    expect(errorProblems(good + good, errors)).toHaveLength(1);
    expect(errorProblems(good.replace("500", "404"), errors)).toHaveLength(1);
    expect(errorProblems(good.replace("mend it", "wait"), errors)).toHaveLength(1);
  });
});
