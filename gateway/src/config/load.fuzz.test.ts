/** Whatever stands in the file or the environment: a configuration or a list of problems, never another throw. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { effectiveTree } from "./effective.js";
import { type LoadedConfig, loadConfig } from "./load.js";
import { ConfigError } from "./problems.js";
import { type SettingNode, settingsTree } from "./settings-tree.js";

const RUNS = 300;

function load(text: string, env: Record<string, string> = {}): LoadedConfig | ConfigError {
  const io = { cwd: "/site", hostname: "attic", repositoryDir: null, readFile: () => text };
  try {
    return loadConfig(io, { configPath: "c.yaml", env });
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Every setting's path, as keys; lists get the index 0. */
function paths(node: SettingNode, path: string[] = []): string[][] {
  const below = [...node.children].flatMap(([key, child]) => paths(child, [...path, key]));
  const entry = node.entry === null ? [] : paths(node.entry, [...path, "0"]);
  return [path, ...below, ...entry];
}

const ALL = paths(settingsTree()).filter((path) => path.length > 0);
const setting = fc.constantFrom(...ALL);
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom("auto", "off", "30s", "64KiB", "127.0.0.1:0", "∞"),
);

function nested(path: readonly string[], leaf: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return leaf;
  return key === "0" ? [nested(rest, leaf)] : { [key]: nested(rest, leaf) };
}

describe("any value at any setting", () => {
  it("is taken or told about with its place, and what is taken can be written and read back", () => {
    const property = fc.property(setting, value, (path, leaf) => {
      const found = load(JSON.stringify(nested(path, leaf)));
      if (found instanceof ConfigError) {
        for (const problem of found.problems) expect(problem.place).toMatch(/^(c\.yaml:\d+:\d+|)$/);
        expect(found.problems.length).toBeGreaterThan(0);
        return;
      }
      const again = load(JSON.stringify(effectiveTree(found)));
      expect(again instanceof ConfigError ? again.problems : again.config).toEqual(found.config);
    });
    fc.assert(property, { numRuns: RUNS });
  });

  it("is taken or told about from the environment", () => {
    const property = fc.property(setting, fc.string(), (path, text) => {
      const variable = `TIDEGATE_${path.join("__").toUpperCase()}`;
      const found = load("version: 1", { [`${variable}${path.length === 1 ? "__X" : ""}`]: text });
      if (found instanceof ConfigError) expect(found.problems.length).toBeGreaterThan(0);
    });
    fc.assert(property, { numRuns: RUNS });
  });
});

describe("any text", () => {
  it("is a configuration or a list of problems", () => {
    const words = fc.constantFrom(
      "devices",
      "sinks",
      ":",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "\n",
      "  ",
      "&a",
      "*a",
      "!!x",
      "'",
      "|",
      "#",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (source) => {
        load(source);
      }),
      { numRuns: RUNS },
    );
  });
});
