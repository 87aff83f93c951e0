// Sizes: long files and functions are where the thing that owns the connection grows into a god object.

import { functionLengths, functionsOf } from "./functions.mjs";
import { isTest } from "./repository.mjs";

const FILE_LINES = { warn: 300, fail: 500 };
const FUNCTION_LINES = { warn: 40, fail: 60 };
const PARAMETERS_MAX = 4;
const COLUMNS_MAX = 120;

/** Names that say nothing about what is inside. */
const VAGUE_NAMES = /(^|[-/])(utils?|helpers?|manager|common|misc)(\.|-|\/)/;

const judged = (repository) =>
  repository.scripts.filter(({ path }) => !isTest(path) && !/^gateway\/web\/.*\.(css|html)$/.test(path));

/** Rules `file-size`, `function-size`, `parameters`, `columns` and `vague-name`. */
export function checkSizes(repository) {
  return judged(repository).flatMap((source) => [
    ...fileSize(source),
    ...functionSizes(source),
    ...parameters(source),
    ...columns(source),
    ...vagueName(source),
  ]);
}

function levelFor(count, { warn, fail }) {
  if (count > fail) return "error";
  return count > warn ? "warning" : null;
}

function fileSize(source) {
  const count = source.text.replace(/\n$/, "").split("\n").length;
  const level = levelFor(count, FILE_LINES);
  if (level === null) return [];
  const message = `${count} lines (aim ${FILE_LINES.warn}, limit ${FILE_LINES.fail}); split it by idea`;
  return [{ rule: "file-size", level, path: source.path, line: 1, message }];
}

function functionSizes(source) {
  return functionLengths(source).flatMap(({ name, line, lineCount }) => {
    const level = levelFor(lineCount, FUNCTION_LINES);
    if (level === null) return [];
    const aim = `aim ${FUNCTION_LINES.warn}, limit ${FUNCTION_LINES.fail}`;
    const message = `${name || "a function"} has ${lineCount} lines (${aim})`;
    return [{ rule: "function-size", level, path: source.path, line, message }];
  });
}

function parameters(source) {
  return functionsOf(source).flatMap(({ name, start, parameterCount }) => {
    if (parameterCount <= PARAMETERS_MAX) return [];
    const message = `${name || "a function"} takes ${parameterCount} positional parameters; pass an object`;
    return [{ rule: "parameters", path: source.path, line: source.lineAt(start), message }];
  });
}

function columns(source) {
  return source.lines.flatMap((text, index) => {
    const length = [...text].length;
    if (length <= COLUMNS_MAX) return [];
    return [
      { rule: "columns", path: source.path, line: index + 1, message: `${length} columns (limit ${COLUMNS_MAX})` },
    ];
  });
}

function vagueName(source) {
  if (!VAGUE_NAMES.test(source.path)) return [];
  return [{ rule: "vague-name", path: source.path, line: 1, message: "name the file after its idea" }];
}
