/**
 * Settings from the environment: `TIDEGATE_ADMIN__LISTEN=0.0.0.0:8080`, lists by index: `TIDEGATE_SINKS__0__URL=…`.
 * Edge room `config`, pure: the environment is passed in.
 *
 * `__` steps into a section. Case and single underscores do not count, so `STORAGE__WHEN_FULL` is `storage.whenFull`.
 * Variables without `__` (TIDEGATE_CONFIG, TIDEGATE_URL …) are not settings.
 */

import { LIST_MAX } from "./fields.js";
import { type ConfigProblem, isMapping, type SettingPath, settingName, unknownKey } from "./problems.js";
import { type SettingNode, settingsTree } from "./settings-tree.js";
import { plainWord } from "./suggest.js";
import { parseYamlValue } from "./yaml-source.js";

/** Environment as Node gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvOverride {
  /** The variable. */
  readonly variable: string;
  readonly path: SettingPath;
  readonly value: unknown;
}

const PREFIX = "TIDEGATE_";

/** Every override the environment holds, shorter paths first, and what is wrong with the others. */
export function envOverrides(env: Environment): { overrides: EnvOverride[]; problems: ConfigProblem[] } {
  const overrides: EnvOverride[] = [];
  const problems: ConfigProblem[] = [];
  const refuse = (place: string, setting: string, message: string) =>
    problems.push({ place, setting, message, unsafe: false });
  for (const variable of Object.keys(env).sort()) {
    if (!variable.startsWith(PREFIX) || !variable.includes("__")) continue;
    const found = pathOf(variable.slice(PREFIX.length).split("__"));
    if (found.unknown !== null) {
      refuse(variable, found.unknown, unknownKey(found.key, found.path));
      continue;
    }
    const text = env[variable] ?? "";
    // An empty variable is a mistake of a script more often than a wish; as everywhere, empty never means "allow".
    const { value, problem } =
      text.trim() === "" ? { value: null, problem: "is set but empty" } : readValue(text, found);
    if (problem !== null) refuse(variable, settingName(found.path), problem);
    else overrides.push({ variable, path: found.path, value });
  }
  overrides.sort((a, b) => a.path.length - b.path.length);
  return { overrides, problems };
}

/** Settings that are texts keep their text: a password file named `007` is no number. */
function readValue(text: string, found: FoundPath): { value: unknown; problem: string | null } {
  const parsed = parseYamlValue(text);
  if (found.node.isPath && typeof parsed.value !== "object") return { value: text, problem: null };
  return parsed;
}

interface FoundPath {
  readonly path: SettingPath;
  readonly node: SettingNode;
  /** Name of the setting that does not exist, or null. */
  readonly unknown: string | null;
  readonly key: string;
}

function pathOf(segments: readonly string[]): FoundPath {
  let node = settingsTree();
  const path: (string | number)[] = [];
  for (const segment of segments) {
    const step = stepInto(node, segment);
    if (step === null) {
      return { path, node, unknown: settingName([...path, segment.toLowerCase()]), key: segment };
    }
    path.push(step.segment);
    node = step.node;
  }
  return { path, node, unknown: null, key: "" };
}

function stepInto(node: SettingNode, segment: string): { segment: string | number; node: SettingNode } | null {
  if (node.entry !== null) {
    const index = /^\d{1,3}$/.test(segment) ? Number(segment) : LIST_MAX;
    return index < LIST_MAX ? { segment: index, node: node.entry } : null;
  }
  for (const [key, child] of node.children) {
    if (plainWord(key) === plainWord(segment)) return { segment: key, node: child };
  }
  return null;
}

/** The input with one override put in; a problem when a list has no such place. The input is not changed. */
export function withOverride(input: unknown, override: EnvOverride): { value: unknown; problem: string | null } {
  return put(input, override.path, override.value);
}

function put(input: unknown, path: SettingPath, value: unknown): { value: unknown; problem: string | null } {
  const [segment, ...rest] = path;
  if (segment === undefined) return { value, problem: null };
  if (typeof segment === "number") {
    const list = Array.isArray(input) ? [...input] : [];
    if (segment > list.length)
      return { value: input, problem: `the list has ${list.length} entries; add entry ${list.length} first` };
    const inner = put(list[segment], rest, value);
    list[segment] = inner.value;
    return { value: list, problem: inner.problem };
  }
  const mapping = isMapping(input) ? input : {};
  const inner = put(Object.hasOwn(mapping, segment) ? mapping[segment] : undefined, rest, value);
  return { value: { ...mapping, [segment]: inner.value }, problem: inner.problem };
}
