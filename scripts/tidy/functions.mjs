// Finds functions by pattern: a parameter list that is followed by a body.
//
//   name(a, b): Promise<void> {        (a, b) => {        (a) => expression
//       └─────┘               └─ body      └────┘
//
// `if (…) {` and its kin look the same and are told by their word.

import { matchingBracket } from "./source.mjs";

const NOT_FUNCTIONS = new Set(["if", "for", "while", "switch", "catch", "with", "await"]);

/**
 * @typedef {object} FoundFunction
 * @property {string} name "" for a nameless one
 * @property {number} start index of the parameter list
 * @property {number} end index of the last character of the body
 * @property {number} parameterCount positional parameters, a leading `this` left out
 * @property {boolean} hasBlock false for `(a) => expression`
 */

/** @returns {FoundFunction[]} in order of their parameter lists */
export function functionsOf(source) {
  const code = source.code;
  const found = [];
  for (let open = code.indexOf("("); open !== -1; open = code.indexOf("(", open + 1)) {
    const close = matchingBracket(code, open);
    if (close === -1) continue;
    const name = nameBefore(code, open);
    if (NOT_FUNCTIONS.has(name)) continue;
    const body = bodyAfter(code, close);
    if (body === null) continue;
    const end = body.hasBlock ? matchingBracket(code, body.at) : body.at;
    if (end === -1) continue;
    const parameterCount = countParameters(code.slice(open + 1, close));
    found.push({ name, start: open, end, parameterCount, hasBlock: body.hasBlock });
  }
  return found;
}

function nameBefore(code, open) {
  // Type parameters may stand between the name and the list: `map<T>(`.
  const before = code.slice(Math.max(0, open - 200), open).replace(/<[^<>()]*>\s*$/, "");
  return /([\w$#]+)\s*$/.exec(before)?.[1] ?? "";
}

/** Where the body begins, or null when what follows the list is no body. */
function bodyAfter(code, close) {
  let at = skipSpace(code, close + 1);
  if (code[at] === ":") at = skipSpace(code, skipType(code, at + 1));
  if (code.startsWith("=>", at)) {
    const body = skipSpace(code, at + 2);
    return { at: body, hasBlock: code[body] === "{" };
  }
  return code[at] === "{" ? { at, hasBlock: true } : null;
}

function skipSpace(code, from) {
  let at = from;
  while (/\s/.test(code[at] ?? "x")) at += 1;
  return at;
}

/** Index just past a return type. A brace where a type is still expected is an object type, not the body. */
function skipType(code, from) {
  let at = from;
  let expectsOperand = true;
  while (at < code.length) {
    at = skipSpace(code, at);
    const here = code[at];
    if (here === "(" || here === "[" || (here === "{" && expectsOperand)) {
      const close = matchingBracket(code, at);
      if (close === -1) return code.length;
      at = close + 1;
      expectsOperand = false;
      if (here === "(" && /^\s*=>/.test(code.slice(at, at + 20))) {
        at = code.indexOf("=>", at) + 2;
        expectsOperand = true;
      }
    } else if (here === "<") at = skipAngles(code, at);
    else if (here === "|" || here === "&") {
      at += 1;
      expectsOperand = true;
    } else if (/[\w$."'`?]/.test(here ?? "")) {
      const word = /^(?:["'`]\s*["'`]|[\w$.?]+|["'`])/.exec(code.slice(at, at + 200))?.[0] ?? here;
      at += word.length;
      expectsOperand = /^(is|extends|keyof|typeof|infer|asserts|readonly|\?)$/.test(word);
    } else return at;
  }
  return at;
}

function skipAngles(code, open) {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (code[at] === "<") depth += 1;
    else if (code[at] === ">" && code[at - 1] !== "=") {
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (code[at] === ";") return at;
  }
  return code.length;
}

function countParameters(list) {
  let depth = 0;
  let count = 0;
  let current = "";
  const close = () => {
    if (current.trim() !== "" && !/^\s*this\s*:/.test(current)) count += 1;
    current = "";
  };
  for (let at = 0; at < list.length; at += 1) {
    const here = list[at];
    if ("([{<".includes(here)) depth += 1;
    if (")]}".includes(here) || (here === ">" && list[at - 1] !== "=")) depth -= 1;
    if (here === "," && depth === 0) close();
    else current += here;
  }
  close();
  return count;
}

/**
 * Lines of each function with a block body, less the lines of the functions with a block inside it: a factory that
 * returns ten short methods is ten short functions, and each of them is measured by itself.
 * @returns {{ name: string, line: number, lineCount: number }[]}
 */
export function functionLengths(source) {
  const blocks = functionsOf(source).filter((found) => found.hasBlock);
  const measured = blocks.map((found) => ({
    ...found,
    firstLine: source.lineAt(found.start),
    lastLine: source.lineAt(found.end),
  }));
  return measured.map((outer) => {
    let lineCount = outer.lastLine - outer.firstLine + 1;
    for (const inner of measured) {
      const isDirect = inner !== outer && parentOf(inner, measured) === outer;
      if (isDirect) lineCount -= Math.max(0, inner.lastLine - inner.firstLine - 1);
    }
    return { name: outer.name, line: outer.firstLine, lineCount };
  });
}

/** The smallest function that holds this one. */
function parentOf(inner, all) {
  let parent = null;
  for (const other of all) {
    if (other === inner || other.start >= inner.start || other.end < inner.end) continue;
    if (parent === null || other.start > parent.start) parent = other;
  }
  return parent;
}
