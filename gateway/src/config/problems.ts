/**
 * What is wrong with a configuration: zod's issues and YAML's errors in our words, each with its place.
 * Edge room `config`, pure.
 */
import type * as z from "zod";
import { GatewayError } from "../core/errors.js";
import { settingAt } from "./settings-tree.js";
import { nearest } from "./suggest.js";

/** A path of keys and list indices from the root of the file. */
export type SettingPath = readonly (string | number)[];

/** Where a value was written. */
export interface Place {
  /** `tidegate.yaml:4:3`, or `TIDEGATE_ADMIN__LISTEN`. */
  readonly text: string;
}

export interface ConfigProblem {
  /** `tidegate.yaml:4:3`, an environment variable, or empty when it is nowhere. */
  readonly place: string;
  /** `devices.keepalive`, `sinks[0].url`; empty for the whole file. */
  readonly setting: string;
  readonly message: string;
  /** Would expose the gateway, rather than not fit. */
  readonly unsafe: boolean;
}

/** All problems at once; `why` has one line for each. */
export class ConfigError extends GatewayError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], fix: string) {
    const code = problems.every((problem) => problem.unsafe) ? "E_CONFIG_UNSAFE" : "E_CONFIG_INVALID";
    super(code, problems.map(problemLine).join("\n"), { fix });
    this.problems = problems;
  }
}

/** One problem as one line: place, setting, message. */
export function problemLine(problem: ConfigProblem): string {
  return [problem.place, problem.setting, problem.message].filter((part) => part !== "").join(": ");
}

/** `["sinks", 0, "url"]` → `sinks[0].url`. */
export function settingName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, segment) => {
    if (typeof segment === "number") return `${name}[${segment}]`;
    return name === "" ? String(segment) : `${name}.${String(segment)}`;
  }, "");
}

/** A flat issue: a path, whether its key (not its value) is at fault, and the message. */
export interface FlatIssue {
  readonly path: SettingPath;
  readonly atKey: boolean;
  readonly message: string;
}

/** zod's issues, one per key, unions resolved to the branch the writer meant. */
export function flattenIssues(
  issues: readonly z.core.$ZodIssue[],
  input: unknown,
  base: SettingPath = [],
): FlatIssue[] {
  return issues.flatMap((issue) => flattenIssue(issue, input, base));
}

function flattenIssue(issue: z.core.$ZodIssue, input: unknown, base: SettingPath): FlatIssue[] {
  const path = [...base, ...issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], atKey: true, message: unknownKey(key, path) }));
  }
  const value = valueAt(input, path);
  if (issue.code === "invalid_union" && isMapping(value)) {
    // The writer wrote a mapping: what is wrong inside it helps more than "none of the forms fits".
    const inside = issue.errors.find((errors) =>
      errors.some((e) => e.path.length > 0 || e.code === "unrecognized_keys"),
    );
    if (inside !== undefined) return flattenIssues(inside, input, path);
  }
  return [{ path, atKey: false, message: messageOf(issue, value) }];
}

function messageOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return "is missing";
  if (value === null) return "is empty: write a value, or remove the line";
  const got = isMapping(value) ? "a mapping" : Array.isArray(value) ? "a list" : shown(value);
  if (issue.code === "invalid_type") {
    const wanted = issue.expected === "object" ? "expected a mapping" : issue.message;
    return `${wanted}, got ${got}`;
  }
  return `${issue.message}, got ${got}`;
}

const VALUE_SHOWN_MAX = 60;
/** Messages go to logs: a password in an address does not. */
const LOGIN_IN_URL = /\/\/[^\s/@"]*@/g;

function shown(value: unknown): string {
  const text = (JSON.stringify(value) ?? String(value)).replace(LOGIN_IN_URL, "//…@");
  return text.length > VALUE_SHOWN_MAX ? `${text.slice(0, VALUE_SHOWN_MAX)}…` : text;
}

/** `unknown key "keepalve"; did you mean "keepalive"?` */
export function unknownKey(key: string, parent: readonly PropertyKey[]): string {
  const known = [...(settingAt(parent)?.children.keys() ?? [])];
  const suggestion = nearest(key, known);
  if (suggestion !== null) return `unknown key; did you mean "${suggestion}"?`;
  return known.length === 0 ? "unknown key" : `unknown key; known here: ${known.join(", ")}`;
}

/** The value at a path of plain data; undefined when there is none. */
export function valueAt(input: unknown, path: SettingPath): unknown {
  let value = input;
  for (const segment of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = Reflect.get(value, segment);
  }
  return value;
}

/** A mapping of the file, as plain data. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
