// What a reader finds at the top of a file and above a public name.

import { isGenerated, isTest } from "./repository.mjs";

const NEEDS_HEADER = /\.(ts|tsx|mts|mjs|js|c|h|sh|proto|ino|cpp)$/;
const EXPORTED =
  /^export\s+(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:function\*?|class|interface|type|const|let|enum)\s+([\w$]+)/gm;
const HEADER_CHARS_MIN = 20;

/** Rules `header` and `doc-comment`. */
export function checkWords(repository) {
  const headers = repository.files
    .filter(({ path }) => NEEDS_HEADER.test(path) && !isGenerated(path) && !path.includes("/vectors/"))
    .flatMap(header);
  const documented = repository.scripts.filter(({ path }) => /(^|\/)(src|scripts)\//.test(path) && !isTest(path));
  return [...headers, ...documented.flatMap(docComments)];
}

function header(source) {
  const text = source.text.replace(/^#!.*\n/, "").trimStart();
  const comment = /^(?:\/\/[^\n]*(?:\n\/\/[^\n]*)*|\/\*[\s\S]*?\*\/|#[^\n]*(?:\n#[^\n]*)*)/.exec(text)?.[0] ?? "";
  if (comment.replace(/[\s/*#]/g, "").length >= HEADER_CHARS_MIN) return [];
  const message = "open the file with a comment: what it is and where it sits";
  return [{ rule: "header", path: source.path, line: 1, message }];
}

function docComments(source) {
  const documentedNames = new Set();
  return [...source.code.matchAll(EXPORTED)].flatMap((match) => {
    const name = match[1];
    const line = source.lineAt(match.index);
    if (hasCommentAbove(source.lines, line)) documentedNames.add(name);
    // A type beside a const of the same name, and the overloads of a function, share the first comment.
    if (documentedNames.has(name)) return [];
    return [
      { rule: "doc-comment", path: source.path, line, message: `${name} is public: say what it is for, units, errors` },
    ];
  });
}

function hasCommentAbove(lines, line) {
  let above = line - 2;
  // A suppression of the linter may stand between the comment and the name.
  while (/^\s*\/\/ biome-ignore/.test(lines[above] ?? "")) above -= 1;
  return /(\*\/\s*$)|^\s*\/\//.test(lines[above] ?? "");
}
