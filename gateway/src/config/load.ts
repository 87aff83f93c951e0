/**
 * File, environment and defaults → one frozen Config, or all problems at once. Edge room `config`.
 *
 *   find file ─▶ parse YAML ─▶ environment overrides ─▶ absolute paths ─▶ schema ─▶ cross checks ─▶ freeze
 *                   │ problems        │ problems                            │ problems   │ problems
 *                   └─────────────────┴──── ConfigError: every problem with its place ───┴
 *
 * The gateway never writes the file. A file that exists and is empty is refused: it may be half of a full one.
 */
import { basename, dirname, isAbsolute, resolve } from "node:path";
import * as z from "zod";
import { isLoopback } from "./addresses.js";
import { type Config, deepFreeze, toConfig } from "./config.js";
import { crossProblems } from "./cross-checks.js";
import { type Environment, type EnvOverride, envOverrides, withOverride } from "./env-overrides.js";
import { type ConfigIo, defaultDataDir, findConfigFile, gatewayIdFrom } from "./locations.js";
import {
  ConfigError,
  type ConfigProblem,
  type FlatIssue,
  flattenIssues,
  isMapping,
  type SettingPath,
  settingName,
  valueAt,
} from "./problems.js";
import { type ConfigTree, configSchema } from "./schema.js";
import { type SettingNode, settingsTree } from "./settings-tree.js";
import { FILE_BYTES_MAX, parseYamlSource, type YamlSource } from "./yaml-source.js";

export interface LoadOptions {
  /** The value of `--config`; null when it was not given. */
  readonly configPath: string | null;
  readonly env: Environment;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Absolute path of the file; null when there is none. */
  readonly file: string | null;
  /** The parsed tree under the file's keys, for `config show`. */
  readonly tree: ConfigTree;
  /** Where each written setting comes from: `file:line:col` or a variable. Settings not listed are defaults. */
  readonly sources: Readonly<Record<string, string>>;
}

/**
 * Load the configuration.
 *
 * Errors: E_CONFIG_UNREADABLE (a named file is absent or unreadable), E_CONFIG_INVALID and E_CONFIG_UNSAFE
 * (`ConfigError` with every problem).
 */
export function loadConfig(io: ConfigIo, options: LoadOptions): LoadedConfig {
  const found = findConfigFile(io, options.env, options.configPath);
  const source = found === null ? null : readSource(found.path, found.text);
  const { overrides, problems: envProblems } = envOverrides(options.env);
  const origin = new Origin(source, overrides);
  const problems: ConfigProblem[] = [...(source?.problems ?? []), ...envProblems];
  const input = merge(source?.value ?? {}, overrides, problems);
  if (problems.length > 0) throw new ConfigError(problems, fixFor(found?.path ?? null));

  const fileDir = found === null ? io.cwd : dirname(found.path);
  const absolute = absolutePaths(input, settingsTree(), [], (path) => (origin.isEnv(path) ? io.cwd : fileDir));
  const parsed = z.safeDecode(configSchema, absolute as z.input<typeof configSchema>); // checked by the schema itself
  if (!parsed.success) {
    const issues = flattenIssues(parsed.error.issues, input);
    throw new ConfigError(origin.problems(issues), fixFor(found?.path ?? null));
  }
  const tree = parsed.data;
  const cross = crossProblems(tree);
  if (cross.length > 0) throw new ConfigError(origin.problems(cross), fixFor(found?.path ?? null));

  const config = toConfig(tree, {
    gatewayId: tree.gateway.id ?? gatewayIdFrom(io.hostname),
    dataDir: tree.gateway.dataDir ?? defaultDataDir(io, options.env, found?.path ?? null),
    adminOnLoopback: isLoopback(tree.admin.listen.host),
  });
  return deepFreeze({ config, file: found?.path ?? null, tree, sources: origin.sources(input) });
}

function fixFor(file: string | null): string {
  return file === null
    ? "correct the variables named above"
    : "correct the lines named above; `tidegate config check` tells";
}

function readSource(path: string, text: string): YamlSource {
  const name = basename(path);
  if (text.length > FILE_BYTES_MAX) {
    throw new ConfigError([place(`${name}:1:1`, `is larger than ${FILE_BYTES_MAX} bytes`)], "name the right file");
  }
  const source = parseYamlSource(text, name);
  if (source.problems.length > 0) return source;
  if (source.value === null || source.value === undefined) {
    const message = "the file is empty; it may be half of a full one, so it is not taken for the defaults";
    throw new ConfigError(
      [place(`${name}:1:1`, message)],
      "write `version: 1` to start with the defaults, or remove the file",
    );
  }
  if (!isMapping(source.value)) {
    throw new ConfigError([place(`${name}:1:1`, "expected a mapping of sections")], "begin with `version: 1`");
  }
  return source;
}

const place = (at: string, message: string): ConfigProblem => ({ place: at, setting: "", message, unsafe: false });

function merge(base: unknown, overrides: readonly EnvOverride[], problems: ConfigProblem[]): unknown {
  return overrides.reduce((input, override) => {
    const { value, problem } = withOverride(input, override);
    if (problem === null) return value;
    problems.push({ place: override.variable, setting: settingName(override.path), message: problem, unsafe: false });
    return input;
  }, base);
}

/** A copy of the input in which every setting that is a path is absolute. */
function absolutePaths(
  input: unknown,
  node: SettingNode | null,
  path: SettingPath,
  baseOf: (path: SettingPath) => string,
): unknown {
  if (node === null) return input;
  if (node.isPath && typeof input === "string" && input !== "") {
    return absolutePath(input, baseOf(path));
  }
  if (Array.isArray(input)) return input.map((item, at) => absolutePaths(item, node.entry, [...path, at], baseOf));
  if (!isMapping(input)) return input;
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [
      key,
      absolutePaths(value, node.children.get(key) ?? null, [...path, key], baseOf),
    ]),
  );
}

/** A serial line may be a socket, `unix:` and its path; a port of Windows has a name, not a path. */
function absolutePath(input: string, base: string): string {
  if (input.startsWith("unix:")) return `unix:${resolve(base, input.slice("unix:".length))}`;
  return isAbsolute(input) || /^COM\d+$/i.test(input) ? input : resolve(base, input);
}

/** Line 9 comes before line 10. */
const PLACE_ORDER = new Intl.Collator("en", { numeric: true });

/** Knows for each setting whether the environment or the file wrote it, and where. */
class Origin {
  readonly #source: YamlSource | null;
  readonly #overrides: readonly EnvOverride[];

  constructor(source: YamlSource | null, overrides: readonly EnvOverride[]) {
    this.#source = source;
    this.#overrides = overrides;
  }

  isEnv(path: SettingPath): boolean {
    return this.#variable(path) !== null;
  }

  problems(issues: readonly (FlatIssue & { readonly unsafe?: boolean })[]): ConfigProblem[] {
    const problems = issues.map((issue) => ({
      place: this.#place(issue.path, issue.atKey),
      setting: settingName(issue.path),
      message: issue.message,
      unsafe: issue.unsafe ?? false,
    }));
    return problems.sort((a, b) => PLACE_ORDER.compare(a.place, b.place));
  }

  sources(input: unknown): Record<string, string> {
    const sources: Record<string, string> = {};
    const walk = (value: unknown, path: SettingPath): void => {
      if (Array.isArray(value)) for (const [at, item] of value.entries()) walk(item, [...path, at]);
      else if (isMapping(value)) for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
      else sources[settingName(path)] = this.#place(path, false);
    };
    walk(input, []);
    return sources;
  }

  /** The variable that wrote this setting or a section around it; the longest one wins. */
  #variable(path: SettingPath): string | null {
    const covering = this.#overrides.filter((o) => o.path.every((segment, at) => path[at] === segment));
    return covering.at(-1)?.variable ?? null;
  }

  /** For a setting missing from a list entry that only the environment wrote: one of the entry's variables. */
  #siblingVariable(path: SettingPath): string | null {
    const parent = path.slice(0, -1);
    if (typeof parent.at(-1) !== "number" || valueAt(this.#source?.value, parent) !== undefined) return null;
    const sibling = this.#overrides.find((o) => parent.every((segment, at) => o.path[at] === segment));
    return sibling?.variable ?? null;
  }

  #place(path: SettingPath, atKey: boolean): string {
    return this.#variable(path) ?? this.#siblingVariable(path) ?? this.#source?.place(path, atKey) ?? "";
  }
}
