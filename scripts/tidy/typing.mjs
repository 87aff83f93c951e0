// Escapes from the type checker: none without a reason that a reader finds on the line.

import { isTest } from "./repository.mjs";

const ANY = /[:<|&,([]\s*any\b(?!\s*[(:.])|\bas\s+any\b|=>\s*any\b/g;
const NON_NULL = /[\w$)\]]!(?![=\w"'`])/g;
const DEFINITE = /[\w$]!:/g;
const CAST = /\bas\s+(?!const\b|any\b)(?=[\w${[(])/g;
const IGNORE = /@ts-(?:ignore|nocheck|expect-error)/g;
/** Bytes and branded ids are made from the untyped; a cast is what such a file is for. */
const CASTS_AT_HOME = /(codec|\bids|\/pb(-setup)?|-bytes)\.ts$/;

/** Rules `any`, `non-null`, `ts-ignore` and `cast`. */
export function checkTyping(repository) {
  return repository.product
    .filter(({ path }) => !path.endsWith(".d.ts"))
    .flatMap((source) => [
      ...find(source, "any", ANY, "say what it is, or `unknown`"),
      ...find(source, "non-null", NON_NULL, "narrow it with a check instead of `!`"),
      ...find(source, "non-null", DEFINITE, "initialise it instead of `!:`"),
      ...ignores(source),
      ...casts(source),
    ]);
}

function find(source, rule, pattern, message) {
  return [...source.code.matchAll(pattern)].map((match) => ({
    rule,
    path: source.path,
    line: source.lineAt(match.index),
    message,
  }));
}

function ignores(source) {
  if (isTest(source.path)) return [];
  return [...source.text.matchAll(IGNORE)].map((match) => ({
    rule: "ts-ignore",
    path: source.path,
    line: source.lineAt(match.index),
    message: "mend the type instead of silencing it",
  }));
}

function casts(source) {
  if (CASTS_AT_HOME.test(source.path)) return [];
  const lines = source.lines;
  return [...source.code.matchAll(CAST)].flatMap((match) => {
    if (isRename(source.code, match.index)) return [];
    const line = source.lineAt(match.index);
    if (hasReason(lines, line)) return [];
    return [
      { rule: "cast", path: source.path, line, message: "`as` needs its reason as a comment on or above the line" },
    ];
  });
}

/** `import { a as b }`, `export { a as b }` and `* as b` are names, not casts. */
function isRename(code, index) {
  if (/\*\s*$/.test(code.slice(Math.max(0, index - 4), index))) return true;
  const open = code.lastIndexOf("{", index);
  return (
    open !== -1 &&
    /\b(import|export)\s+(type\s+)?([\w$]+\s*,\s*)?$/.test(code.slice(Math.max(0, open - 60), open)) &&
    !code.slice(open, index).includes("}")
  );
}

function hasReason(lines, line) {
  const here = lines[line - 1] ?? "";
  const above = (lines[line - 2] ?? "").trim();
  return /\/\/\s*\S|\/\*/.test(here) || /^(\/\/|\*|\/\*)/.test(above);
}
