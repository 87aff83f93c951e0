/**
 * The configuration file as data that remembers where each value stood. Edge room `config`; the only user of `yaml`.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { ConfigProblem, SettingPath } from "./problems.js";

/** A configuration is written by hand: larger files are mistakes, or attacks. */
export const FILE_BYTES_MAX = 1024 * 1024;

/** References of YAML anchors resolved in one file; bounds what a few lines can grow into. */
const ALIASES_MAX = 100;

export interface YamlSource {
  /** Plain data. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /**
   * `file:line:col` of a value or, with `atKey`, of its key; the section it would be in when it is not there;
   * empty when the file does not even have that section.
   */
  place(path: SettingPath, atKey: boolean): string;
}

/** Parse a file's text; `file` is how problems name it. Never throws: mistakes are in `problems`. */
export function parseYamlSource(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, strict: true });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
  };
  // A warning is an unknown tag or directive: the value would not be what its writer meant.
  const problems = [...document.errors, ...document.warnings].map((error) => problem(at(error.pos[0]), error.message));
  let value: unknown = null;
  try {
    if (problems.length === 0) value = document.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    problems.push(problem(`${file}:1:1`, error instanceof Error ? error.message : String(error)));
  }
  const placeOf = (path: SettingPath, atKey: boolean) => {
    const offset = offsetOf(document, path, atKey);
    return offset === null ? "" : at(offset);
  };
  return { value, problems, place: placeOf };
}

/** A value given as text outside a file: `off`, `[a, b]`, `{ cert: x }`; null problem when it can be read. */
export function parseYamlValue(text: string): { readonly value: unknown; readonly problem: string | null } {
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: "silent" });
    const [wrong] = [...document.errors, ...document.warnings];
    if (wrong !== undefined) return { value: null, problem: wrong.message };
    return { value: document.toJS({ maxAliasCount: 0 }), problem: null };
  } catch (error) {
    return { value: null, problem: error instanceof Error ? error.message : String(error) };
  }
}

function problem(place: string, message: string): ConfigProblem {
  return { place, setting: "", message: message.replaceAll("\n", " "), unsafe: false };
}

/** Offset of a value or its key; of the innermost thing that exists, when the path goes further; null when nothing. */
function offsetOf(document: Document.Parsed, path: SettingPath, atKey: boolean): number | null {
  let node: unknown = document.contents;
  let offset: number | null = null;
  for (const [depth, segment] of path.entries()) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const step = childOf(resolved, segment);
    if (step === null) break;
    const wantsKey = atKey && depth === path.length - 1;
    offset = (wantsKey ? step.keyOffset : step.valueOffset) ?? offset;
    node = step.node;
  }
  return offset;
}

interface Step {
  readonly node: unknown;
  readonly keyOffset: number | undefined;
  readonly valueOffset: number | undefined;
}

function childOf(node: unknown, segment: string | number): Step | null {
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(segment));
    if (pair === undefined) return null;
    const keyOffset = startOf(pair.key);
    return { node: pair.value, keyOffset, valueOffset: startOf(pair.value) ?? keyOffset };
  }
  if (isSeq(node) && typeof segment === "number") {
    const item = node.items[segment];
    return item === undefined ? null : { node: item, keyOffset: startOf(item), valueOffset: startOf(item) };
  }
  return null;
}

function startOf(node: unknown): number | undefined {
  const range = (node as Node | null)?.range; // every node of a parsed document has a range; scalars of null may not
  return range?.[0];
}
