// Keeps docs/guarantees.md true: each row of its tables of promises names tests, and each test named is there.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const GUARANTEES_PAGE = "docs/guarantees.md";

/** Tables whose last column names tests. */
const TESTS_COLUMN = "tests";

const inRoot = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** `{ name, tests: [{ path, sentence }] }` for every row of a table that ends with a column of tests. */
export function promisesOf(page) {
  const rows = [];
  let isPromise = false;
  for (const line of page.split("\n")) {
    if (!line.startsWith("|")) {
      isPromise = false;
      continue;
    }
    const cells = line.split("|").slice(1, -1);
    const last = cells.at(-1)?.trim() ?? "";
    if (last === TESTS_COLUMN) isPromise = true;
    else if (isPromise && !/^-+$/.test(last)) rows.push({ name: cells[0].trim(), tests: testsIn(last) });
  }
  return rows;
}

function testsIn(cell) {
  return [...cell.matchAll(/`([^`]+\.test\.(?:ts|mjs))` "([^"]+)"/g)].map(([, path, sentence]) => ({ path, sentence }));
}

/**
 * What is not true any more; empty when everything is.
 * @param {(path: string) => string | null} read the text of a file, or null when it is not there
 */
export function promiseProblems(page, read) {
  return promisesOf(page).flatMap(({ name, tests }) => {
    if (tests.length === 0) return [`${name}: no test is named`];
    return tests.flatMap(({ path, sentence }) => {
      const text = read(path);
      if (text === null) return [`${name}: ${path} is not there`];
      return text.includes(sentence) ? [] : [`${name}: ${path} has no test "${sentence}"`];
    });
  });
}

/** The text of a file of this repository. */
export function readInRoot(path) {
  return existsSync(inRoot(path)) ? readFileSync(inRoot(path), "utf8") : null;
}
