// Claims and their proof: protocol rules are cited by tests, error codes stand in the docs, tests neither sleep nor
// hide others, and C keeps to the headers that every microcontroller has.

import { Source } from "./source.mjs";

const RULE = /\[P-(\d+)\]/g;
const CITATION = /\bP-(\d+)\b/g;

/** Rule `uncited`: a numbered rule of PROTOCOL.md that no test names. */
export function checkCitations(repository) {
  const protocol = repository.file("proto/PROTOCOL.md");
  if (protocol === null) return [];
  const cited = new Set();
  for (const { path, text } of repository.tests) {
    if (path.startsWith("scripts/tidy/")) continue;
    for (const match of text.matchAll(CITATION)) cited.add(match[1]);
  }
  const seen = new Set();
  return [...protocol.text.matchAll(RULE)].flatMap((match) => {
    if (cited.has(match[1]) || seen.has(match[1])) return [];
    seen.add(match[1]);
    const message = `no test cites [P-${match[1]}]`;
    return [{ rule: "uncited", path: protocol.path, line: protocol.lineAt(match.index), message }];
  });
}

/** Rule `error-codes`: the table in core/errors.ts and docs/errors.md name the same codes. */
export function checkErrorCodes(repository) {
  const table = repository.file("gateway/src/core/errors.ts");
  if (table === null) return [];
  const codes = new Map(
    [...table.code.matchAll(/^\s+(E_[A-Z0-9_]+):/gm)].map((match) => [match[1], table.lineAt(match.index)]),
  );
  const docs = repository.file("docs/errors.md") ?? new Source("docs/errors.md", "");
  const documented = new Set([...docs.text.matchAll(/\bE_[A-Z0-9_]+\b/g)].map((match) => match[0]));
  const problems = [];
  for (const [code, line] of codes) {
    if (documented.has(code)) continue;
    problems.push({ rule: "error-codes", path: table.path, line, message: `${code} is not in docs/errors.md` });
  }
  for (const code of documented) {
    if (codes.has(code)) continue;
    problems.push({ rule: "error-codes", path: docs.path, line: 1, message: `${code} is not in core/errors.ts` });
  }
  return problems;
}

const ONLY = /\b(?:it|test|describe|suite)(?:\.\w+)*\.only\b/g;
const SLEEPS = [
  /\bawait\s+(?:sleep|delay|wait|pause|setTimeout)\s*\(/g,
  /new Promise(?:<[^>]*>)?\s*\(\s*\(?[^)]*\)?\s*=>\s*(?:\{\s*)?setTimeout\s*\(/g,
];

/** Rules `only` and `sleep`. Folders of end-to-end tests (`test/`) wait for real processes and may poll. */
export function checkTests(repository) {
  return repository.tests.flatMap((source) => {
    if (!/\.(ts|tsx|mjs)$/.test(source.path)) return [];
    const problem = (rule, match, message) => ({ rule, path: source.path, line: source.lineAt(match.index), message });
    const problems = [...source.code.matchAll(ONLY)].map((match) =>
      problem("only", match, "remove `.only`: it hides every other test"),
    );
    if (!/\.test\.(ts|tsx|mjs)$/.test(source.path)) return problems;
    for (const pattern of SLEEPS) {
      for (const match of source.code.matchAll(pattern)) {
        problems.push(
          problem("sleep", match, "advance a manual clock, or wait for the event (vi.waitFor), instead of sleeping"),
        );
      }
    }
    return problems;
  });
}

const C_HEADERS = /^(stddef|stdint|stdbool|limits|float|stdarg|string)\.h$/;

/** Rule `c-includes`: the C SDK's core knows no operating system; only port/ may. */
export function checkCIncludes(repository) {
  return repository.files
    .filter(({ path }) => /^device-sdk\/c\/(src|include)\/.*\.[ch]$/.test(path))
    .flatMap((source) =>
      [...source.text.matchAll(/^\s*#\s*include\s*[<"]([^>"]+)[>"]/gm)].flatMap((match) => {
        const name = match[1].split("/").at(-1);
        if (C_HEADERS.test(match[1]) || /^tg[_a-z0-9]*\.h$/.test(name)) return [];
        const message = `${match[1]} may be included in port/ only`;
        return [{ rule: "c-includes", path: source.path, line: source.lineAt(match.index), message }];
      }),
    );
}
