// What a reader finds at the top of a file and above a public name.

import { isGenerated, isTest } from "./repository.mjs";

const NEEDS_HEADER = /\.(ts|tsx|mts|mjs|js|c|h|sh|proto|ino|cpp)$/;
const DECLARATIONS = "(function\\*?|class|interface|type|const|let|enum)";
const MODIFIERS = "(?:default\\s+)?(?:declare\\s+)?(?:abstract\\s+)?(?:async\\s+)?";
const EXPORTED = new RegExp(`^export\\s+${MODIFIERS}${DECLARATIONS}\\s+([\\w$]+)`, "gm");
/** Names listed at a package's border are its public API. */
const BORDER = /^(proto|device-sdk\/ts|firmware-sim)\/src\/index\.ts$/;
const HEADER_CHARS_MIN = 20;

/** Rules `header` and `doc-comment`. */
export function checkWords(repository) {
  const headers = repository.files
    .filter(({ path }) => NEEDS_HEADER.test(path) && !isGenerated(path) && !path.includes("/vectors/"))
    .flatMap(header);
  const documented = repository.scripts.filter(({ path }) => /(^|\/)(src|scripts)\//.test(path) && !isTest(path));
  const borderNames = namesAtTheBorder(repository);
  return [...headers, ...documented.flatMap((source) => docComments(source, borderNames))];
}

function header(source) {
  const text = source.text.replace(/^#!.*\n/, "").trimStart();
  const comment = /^(?:\/\/[^\n]*(?:\n\/\/[^\n]*)*|\/\*[\s\S]*?\*\/|#[^\n]*(?:\n#[^\n]*)*)/.exec(text)?.[0] ?? "";
  if (comment.replace(/[\s/*#]/g, "").length >= HEADER_CHARS_MIN) return [];
  const message = "open the file with a comment: what it is and where it sits";
  return [{ rule: "header", path: source.path, line: 1, message }];
}

/** Every name that some package lists in its index. */
function namesAtTheBorder(repository) {
  const indexes = repository.files.filter(({ path }) => BORDER.test(path));
  return new Set(indexes.flatMap(({ code }) => code.match(/[\w$]+/g) ?? []));
}

/**
 * A function, a class and everything at a package's border must say what it is for. A type or a constant that only
 * the package itself uses should (a warning): its members often say more than a sentence above them could.
 */
function docComments(source, borderNames) {
  const documentedNames = new Set();
  return [...source.code.matchAll(EXPORTED)].flatMap((match) => {
    const [, kind, name] = match;
    const line = source.lineAt(match.index);
    if (hasCommentAbove(source.lines, line)) documentedNames.add(name);
    // A type beside a const of the same name, and the overloads of a function, share the first comment.
    if (documentedNames.has(name)) return [];
    const isError = kind.startsWith("function") || kind === "class" || borderNames.has(name);
    const message = `${name} is exported: say what it is for, units, errors`;
    return [{ rule: "doc-comment", level: isError ? "error" : "warning", path: source.path, line, message }];
  });
}

function hasCommentAbove(lines, line) {
  let above = line - 2;
  // A suppression of the linter may stand between the comment and the name.
  while (/^\s*\/\/ biome-ignore/.test(lines[above] ?? "")) above -= 1;
  return /(\*\/\s*$)|^\s*\/\//.test(lines[above] ?? "");
}
