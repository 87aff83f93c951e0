// The options of the benchmark, as typed.

import { describe, expect, it } from "vitest";
import { readOptions } from "./options.mjs";

const KNOWN = ["T1", "T2", "T8"];

describe("the options of npm run bench", () => {
  it("mean every row, in full, with each row's own number of rounds, when nothing is said", () => {
    const expected = { quick: false, only: KNOWN, rounds: null, json: null, dir: null, build: true };
    expect(readOptions([], KNOWN)).toMatchObject(expected);
  });

  it("hold the whole path for a minute, for seconds when it has to be quick, or as long as told", () => {
    const minutes = (...args) => readOptions(args, KNOWN).minutes;
    expect([minutes(), minutes("--quick"), minutes("--quick", "--minutes", "10")]).toEqual([1, 0.1, 10]);
    for (const bad of ["0", "-1", "long", "1441"]) expect(() => minutes("--minutes", bad)).toThrow(/--minutes/);
  });

  it("choose rows in the order of the table, however they are typed", () => {
    expect(readOptions(["--only", "t8, T1"], KNOWN).only).toEqual(["T1", "T8"]);
  });

  it("take everything that a script needs", () => {
    const args = ["--quick", "--rounds", "5", "--json", "out.json", "--dir", "/mnt/card", "--no-build"];
    const expected = { quick: true, rounds: 5, json: "out.json", dir: "/mnt/card", build: false };
    expect(readOptions(args, KNOWN)).toMatchObject(expected);
  });

  it.each([["--only", "T99"], ["--rounds", "0"], ["--rounds", "many"], ["--rounds", "1.5"], ["--fast"], ["T1"]])(
    "refuse %s %s in three lines",
    (...args) => {
      expect(() => readOptions(args, KNOWN)).toThrow(/^error: .+\n {2}why: .+\n {2}do: {2}.+$/);
    },
  );
});
