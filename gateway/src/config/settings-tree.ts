/**
 * The names of all settings as a tree, read off the JSON Schema: for suggestions, environment overrides and the
 * reference page. Edge room `config`.
 */
import * as z from "zod";
import { configSchema } from "./schema.js";

/** One setting or section. */
export interface SettingNode {
  readonly description: string;
  /** Range in words; empty for sections. */
  readonly range: string;
  /** The default as it would be written; undefined: none, or it depends on the machine. */
  readonly defaultValue: unknown;
  readonly isPath: boolean;
  readonly required: boolean;
  /** Below a mapping, by key; for a setting that may be a scalar or a mapping, the mapping's keys. */
  readonly children: ReadonlyMap<string, SettingNode>;
  /** Below a list: what each entry is. */
  readonly entry: SettingNode | null;
}

const looseSchema = z.looseObject({
  description: z.string().default(""),
  range: z.string().default(""),
  isPath: z.boolean().default(false),
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
  anyOf: z.array(z.unknown()).default([]),
  oneOf: z.array(z.unknown()).default([]),
  items: z.unknown().optional(),
  default: z.unknown().optional(),
});

function nodeOf(json: unknown, required: boolean): SettingNode {
  const schema = looseSchema.parse(json);
  const branches = [...schema.anyOf, ...schema.oneOf].map((branch) => nodeOf(branch, false));
  const own = Object.entries(schema.properties).map(
    ([key, value]) => [key, nodeOf(value, schema.required.includes(key))] as const,
  );
  return {
    description: schema.description,
    range: schema.range,
    defaultValue: schema.default,
    isPath: schema.isPath,
    required,
    children: new Map([...branches.flatMap((branch) => [...branch.children]), ...own]),
    entry: schema.items === undefined ? null : nodeOf(schema.items, false),
  };
}

let cached: SettingNode | null = null;

/** The root of the tree: its children are the top-level keys. Built at first use. */
export function settingsTree(): SettingNode {
  cached ??= nodeOf(z.toJSONSchema(configSchema, { io: "input" }), true);
  return cached;
}

/** The node at a path of keys and indices, or null when there is none. */
export function settingAt(path: readonly PropertyKey[]): SettingNode | null {
  let node: SettingNode | null = settingsTree();
  for (const segment of path) {
    if (node === null) return null;
    node = typeof segment === "number" ? node.entry : (node.children.get(String(segment)) ?? null);
  }
  return node;
}
