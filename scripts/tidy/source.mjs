// Reads TypeScript by pattern: TypeScript 7 has no compiler API, and tidy needs only imports, functions and words.
//
//   text   const url = "a//b"; // why        as written
//   code   const url = "    ";               comments, strings and regular expressions blanked; same length
//   noComments                               comments blanked, strings kept (imports are read from this)
//
// Same length means that an index in one is an index in the others, and lines can be counted in any.

/** After these words a slash begins a regular expression, not a division. */
const REGEX_MAY_FOLLOW_WORD = /\b(return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/** One file with its derived views, made once and shared by all rules. */
export class Source {
  #views = null;
  #lineStarts = null;

  constructor(path, text) {
    this.path = path;
    this.text = text;
  }

  get code() {
    this.#views ??= maskSource(this.text);
    return this.#views.code;
  }

  get noComments() {
    this.#views ??= maskSource(this.text);
    return this.#views.noComments;
  }

  get lines() {
    return this.text.split("\n");
  }

  /** One-based line of an index. */
  lineAt(index) {
    this.#lineStarts ??= [0, ...[...this.text.matchAll(/\n/g)].map((match) => match.index + 1)];
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle] <= index) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }
}

/** Makes the two masked views of a text. */
export function maskSource(text) {
  const masker = new Masker(text);
  masker.run();
  return { code: masker.code.join(""), noComments: masker.noComments.join("") };
}

class Masker {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.code = [];
    this.noComments = [];
    /** Brace depth at which each open `${` of a template returns to text. */
    this.templates = [];
    this.depth = 0;
  }

  run() {
    while (this.at < this.text.length) this.step();
  }

  step() {
    const here = this.text[this.at];
    const next = this.text[this.at + 1];
    if (here === "/" && next === "/") return this.comment(this.until("\n"));
    if (here === "/" && next === "*") return this.comment(this.until("*/", 2, 2));
    if (here === '"' || here === "'") return this.quoted(here);
    if (here === "`") return this.template();
    if (here === "/" && this.regexMayStart()) return this.regex();
    if (here === "{") this.depth += 1;
    if (here === "}") {
      if (this.templates.at(-1) === this.depth) {
        this.templates.pop();
        this.depth -= 1;
        return this.template();
      }
      this.depth -= 1;
    }
    this.keep(1);
  }

  /** Index just past the next `mark`, or the end of the text; a line end is not included. */
  until(mark, from = 0, past = 0) {
    const found = this.text.indexOf(mark, this.at + from);
    return found === -1 ? this.text.length : found + past;
  }

  keep(count) {
    const piece = this.text.slice(this.at, this.at + count);
    this.code.push(piece);
    this.noComments.push(piece);
    this.at += count;
  }

  blank(end, alsoInNoComments) {
    const piece = this.text.slice(this.at, end);
    const blanks = piece.replace(/[^\n]/g, " ");
    this.code.push(blanks);
    this.noComments.push(alsoInNoComments ? blanks : piece);
    this.at = end;
  }

  comment(end) {
    this.blank(end, true);
  }

  quoted(quote) {
    let end = this.at + 1;
    // A string ends at its line's end at the latest, so that a stray apostrophe costs one line only.
    while (end < this.text.length && this.text[end] !== quote && this.text[end] !== "\n") {
      end += this.text[end] === "\\" ? 2 : 1;
    }
    this.keep(1);
    this.blank(Math.min(end, this.text.length), false);
    if (this.text[this.at] === quote) this.keep(1);
  }

  /** From an opening backtick, or from the brace that ends a substitution, to the next substitution or the end. */
  template() {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== "`") {
      if (this.text[end] === "$" && this.text[end + 1] === "{") break;
      end += this.text[end] === "\\" ? 2 : 1;
    }
    this.keep(1);
    this.blank(Math.min(end, this.text.length), false);
    if (this.text[this.at] === "$") {
      this.keep(2);
      this.depth += 1;
      this.templates.push(this.depth);
    } else if (this.at < this.text.length) this.keep(1);
  }

  regexMayStart() {
    const before = this.text.slice(Math.max(0, this.at - 40), this.at).trimEnd();
    if (before === "") return true;
    return /[(,=:[!&|?{};+\-*%<>~^]$/.test(before) || REGEX_MAY_FOLLOW_WORD.test(before);
  }

  regex() {
    let end = this.at + 1;
    let inClass = false;
    while (end < this.text.length && this.text[end] !== "\n") {
      const here = this.text[end];
      if (here === "\\") end += 1;
      else if (here === "[") inClass = true;
      else if (here === "]") inClass = false;
      else if (here === "/" && !inClass) break;
      end += 1;
    }
    // No end on this line: it was a division after all.
    if (this.text[end] !== "/") return this.keep(1);
    this.keep(1);
    this.blank(end, false);
    this.keep(1);
  }
}

const IMPORT_FROM =
  /\b(?:import|export)\b\s*(?:type\s+)?(?:[\w$*{}\s,]+?\sfrom\s*|\*\s*from\s*|\{[^}]*\}\s*from\s*)?["']([^"'\n]+)["']/g;
const IMPORT_CALL = /\bimport\s*\(\s*["']([^"'\n]+)["']/g;

/**
 * Every import of a source, `import type` and `import("…")` included.
 * @returns {{ specifier: string, line: number }[]}
 */
export function importsOf(source) {
  const found = [];
  for (const pattern of [IMPORT_FROM, IMPORT_CALL]) {
    for (const match of source.noComments.matchAll(pattern)) {
      // Blanked in `code`: the words stand inside a string.
      if (source.code[match.index] !== source.text[match.index]) continue;
      found.push({ specifier: match[1], line: source.lineAt(match.index) });
    }
  }
  return found;
}

/** Index of the bracket that closes the one at `open`, or -1. */
export function matchingBracket(code, open) {
  const pairs = { "(": ")", "{": "}", "[": "]" };
  const stack = [];
  for (let at = open; at < code.length; at += 1) {
    const here = code[at];
    if (pairs[here] !== undefined) stack.push(pairs[here]);
    else if (here === stack.at(-1)) {
      stack.pop();
      if (stack.length === 0) return at;
    }
  }
  return -1;
}
