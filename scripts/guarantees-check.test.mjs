// The page of guarantees names tests that exist, and its check can fail.
import { describe, expect, it } from "vitest";
import { GUARANTEES_PAGE, promiseProblems, promisesOf, readInRoot } from "./guarantees-check.mjs";

/** Rows of the failure table, invariants and promises about commands: none may be dropped unnoticed. */
const PROMISES_MIN = 38;

const TABLE = '| fault | tests |\n|---|---|\n| rain | `a.test.ts` "keeps dry" |\n';

describe("the page of guarantees", () => {
  const page = readInRoot(GUARANTEES_PAGE) ?? "";

  it("names for every promise a test that exists", () => {
    expect(promiseProblems(page, readInRoot)).toEqual([]);
    expect(promisesOf(page).length).toBeGreaterThanOrEqual(PROMISES_MIN);
  });

  it("is found wrong when a test is gone, was renamed, or was never named", () => {
    const withText = (text) => () => text;
    expect(promiseProblems(TABLE, withText('it("keeps dry")'))).toEqual([]);
    expect(promiseProblems(TABLE, withText('it("keeps wet")'))).toEqual(['rain: a.test.ts has no test "keeps dry"']);
    expect(promiseProblems(TABLE, withText(null))).toEqual(["rain: a.test.ts is not there"]);
    expect(promiseProblems("| fault | tests |\n|---|---|\n| rain | none yet |\n", withText(""))).toEqual([
      "rain: no test is named",
    ]);
  });
});
