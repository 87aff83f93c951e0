// Proves tidy by breaking each rule once: a small repository that is clean, and the one change that a rule must catch.

import { describe, expect, it } from "vitest";
import { functionLengths, functionsOf } from "./functions.mjs";
import { Repository } from "./repository.mjs";
import { importsOf, maskSource, Source } from "./source.mjs";
import { tidy } from "./tidy.mjs";

const HEADER = "// A file of the tests of tidy, with a header that is long enough.\n\n";

/** Every rule is content with this. */
const CLEAN = {
  "gateway/src/core/clock.ts": `${HEADER}/** Now. */\nexport function now(): number {\n  return Date.now();\n}\n`,
  "gateway/src/session/session.ts": `${HEADER}import { now } from "../core/clock.js";\n\n/** Start. */\nexport const start = now();\n`,
  "gateway/src/main.ts": `${HEADER}import { start } from "./session/session.js";\n\nconsole.log(start, process.env.HOME);\n`,
};

/** Problems of the clean repository after adding or replacing files. */
function problemsWith(files, exceptions = []) {
  return tidy(new Repository({ ...CLEAN, ...files }), exceptions);
}

const rulesOf = (problems) => [...new Set(problems.map(({ rule }) => rule))];

/** Rules broken by one product file of the gateway's session room. */
const rulesBrokenBy = (body, path = "gateway/src/session/extra.ts") =>
  rulesOf(problemsWith({ [path]: `${HEADER}${body}\n` }));

describe("tidy", () => {
  it("is content with a clean repository", () => {
    expect(problemsWith({})).toEqual([]);
  });

  it("lets an exception with a reason stand, and calls an idle one an error", () => {
    const bad = { "gateway/src/session/extra.ts": `${HEADER}Date.now();\n` };
    const exception = { rule: "banned", path: "gateway/src/session/extra.ts", contains: "Date.now", reason: "a test" };
    expect(problemsWith(bad, [exception])).toEqual([]);
    expect(rulesOf(problemsWith({}, [exception]))).toEqual(["exceptions"]);
  });
});

describe("layers", () => {
  it("forbids a domain to import an edge, also for types only", () => {
    expect(rulesBrokenBy('import type { Db } from "../storage/db.js";')).toContain("layers");
  });

  it("forbids rooms of one level to import one another", () => {
    expect(rulesBrokenBy('import { x } from "../telemetry/intake.js";')).toEqual(["layers"]);
    expect(rulesBrokenBy('import { x } from "../storage/db.js";', "gateway/src/admin/api.ts")).toEqual(["layers"]);
  });

  it("forbids core to import anything of ours above it, and product code to import what is for tests", () => {
    expect(rulesBrokenBy('export { x } from "../model/record.js";', "gateway/src/core/extra.ts")).toEqual(["layers"]);
    expect(rulesBrokenBy('import { f } from "../core/testing/fake.js";')).toEqual(["layers"]);
  });

  it("allows imports that point down, and everything to main", () => {
    expect(rulesBrokenBy('import { x } from "../core/clock.js";\nimport { y } from "../model/record.js";')).toEqual([]);
    expect(rulesBrokenBy('import { x } from "./storage/db.js";', "gateway/src/gateway.ts")).toEqual([]);
  });

  it("asks for a level when a new room appears", () => {
    const found = problemsWith({ "gateway/src/attic/a.ts": `${HEADER}import { x } from "../core/clock.js";\n` });
    expect(found[0]?.message).toContain('the room "attic" has no level');
  });

  it("keeps packages apart", () => {
    expect(rulesBrokenBy('import { Device } from "@tidegate/device-sdk";')).toEqual(["packages"]);
    expect(rulesBrokenBy('import { x } from "@tidegate/proto";')).toEqual([]);
    expect(rulesBrokenBy('import { x } from "tidegate/dist/a.js";', "firmware-sim/src/fleet.ts")).toEqual(["packages"]);
    expect(rulesBrokenBy('import { x } from "../../gateway/src/a.js";', "firmware-sim/src/fleet.ts")).toEqual([
      "packages",
    ]);
    expect(rulesBrokenBy('import { x } from "@tidegate/device-sdk";', "proto/src/a.ts")).toEqual(["packages"]);
  });

  it("keeps each library behind its adapter, dynamic imports included", () => {
    expect(rulesBrokenBy('import { WebSocket } from "ws";')).toEqual(["libraries"]);
    expect(rulesBrokenBy('const db = await import("better-sqlite3");')).toEqual(["libraries"]);
    expect(rulesBrokenBy('import { WebSocket } from "ws";', "gateway/src/southbound/ws-link.ts")).toEqual([]);
  });

  it("finds an import cycle through types", () => {
    const found = problemsWith({
      "gateway/src/session/a.ts": `${HEADER}import type { B } from "./b.js";\n`,
      "gateway/src/session/b.ts": `${HEADER}import { a } from "./a.js";\n`,
    });
    expect(found.map(({ rule, message }) => [rule, message])).toEqual([
      ["cycles", "import cycle: gateway/src/session/a.ts → gateway/src/session/b.ts → gateway/src/session/a.ts"],
    ]);
  });
});

describe("sizes", () => {
  const lines = (count, line = "touch(1);") => Array.from({ length: count }, () => line).join("\n");

  it("fails a file past 500 lines and warns past 300", () => {
    expect(problemsWith({ "gateway/src/session/a.ts": HEADER + lines(510) })[0]).toMatchObject({
      rule: "file-size",
      level: "error",
    });
    expect(problemsWith({ "gateway/src/session/a.ts": HEADER + lines(310) })[0]).toMatchObject({ level: "warning" });
  });

  it("fails a function past 60 lines and warns past 40", () => {
    const body = (count) => `${HEADER}function f(): { a: number } {\n${lines(count)}\n}\n`;
    expect(problemsWith({ "gateway/src/session/a.ts": body(70) })[0]).toMatchObject({
      rule: "function-size",
      level: "error",
    });
    expect(problemsWith({ "gateway/src/session/a.ts": body(45) })[0]).toMatchObject({ level: "warning" });
    expect(problemsWith({ "gateway/src/session/a.test.ts": body(70) })).toEqual([]);
  });

  it("refuses a fifth positional parameter, a long line and a vague name", () => {
    expect(rulesBrokenBy("const f = (a: number, b: Map<string, number>, c: 1, d: 2, e: 3) => a;")).toEqual([
      "parameters",
    ]);
    expect(rulesBrokenBy("const f = (a: number, b: Map<string, number>, c: [1, 2], d: 2) => a;")).toEqual([]);
    expect(rulesBrokenBy(`// ${"x".repeat(130)}`)).toEqual(["columns"]);
    expect(rulesBrokenBy("const x = 1;", "gateway/src/session/session-utils.ts")).toEqual(["vague-name"]);
  });
});

describe("banned words", () => {
  it.each([
    "Date.now();",
    "const at = new Date();",
    "setTimeout(f, 1);",
    "setInterval(f, 1);",
    "performance.now();",
    "Math.random();",
    "process.env.HOME;",
    "process.argv[2];",
    'console.log("x");',
  ])("refuses %s outside its one file", (code) => {
    expect(rulesBrokenBy(code)).toEqual(["banned"]);
  });

  it("does not mind them in comments, strings, methods, tests and their one file", () => {
    expect(rulesBrokenBy('// Date.now()\nconst s = "Math.random()";\nclock.setTimeout(f, 1);\nnew Date(0);')).toEqual(
      [],
    );
    expect(rulesBrokenBy("Date.now();", "gateway/src/session/a.test.ts")).toEqual([]);
    expect(rulesBrokenBy("Math.random();", "gateway/src/core/random.ts")).toEqual([]);
  });

  it("keeps SQL in storage", () => {
    expect(rulesBrokenBy('const q = "SELECT a FROM b";')).toEqual(["sql"]);
    expect(rulesBrokenBy('const q = "SELECT a FROM b";', "gateway/src/storage/table.ts")).toEqual([]);
    expect(rulesBrokenBy("const q = `\n  INSERT INTO b VALUES (1)`;")).toEqual(["sql"]);
    expect(rulesBrokenBy('const s = "select a device from the list";')).toEqual([]);
  });
});

describe("typing", () => {
  it("refuses any, non-null and silenced errors", () => {
    expect(rulesBrokenBy("let x: any = 1;")).toEqual(["any"]);
    expect(rulesBrokenBy("const x = y as any;")).toEqual(["any"]);
    expect(rulesBrokenBy("const many: Company = anyOf(x);")).toEqual([]);
    expect(rulesBrokenBy("const x = map.get(1)!.name;")).toEqual(["non-null"]);
    expect(rulesBrokenBy("const x = a !== b && !c && a != b;")).toEqual([]);
    expect(rulesBrokenBy("// @ts-ignore\nx();")).toEqual(["ts-ignore"]);
  });

  it("asks for a reason beside a cast, but not beside a rename or `as const`", () => {
    expect(rulesBrokenBy("const x = y as Thing;")).toEqual(["cast"]);
    expect(rulesBrokenBy("const x = y as Thing; // checked two lines above")).toEqual([]);
    expect(
      rulesBrokenBy('import { a as b } from "node:fs";\nimport * as fs from "node:fs";\nconst x = [1] as const;'),
    ).toEqual([]);
    expect(rulesBrokenBy("const x = y as DeviceId;", "gateway/src/core/ids.ts")).toEqual([]);
  });
});

describe("words", () => {
  it("asks for a header in every language", () => {
    const bare = {
      "gateway/src/session/a.ts": "const x = 1;\n",
      "device-sdk/c/src/tg_a.c": "int x;\n",
      "a.sh": "#!/bin/sh\nx\n",
    };
    expect(problemsWith(bare).map(({ rule }) => rule)).toEqual(["header", "header", "header"]);
  });

  it("asks for a doc comment above functions, classes and names at a package's border", () => {
    const found = problemsWith({
      "proto/src/index.ts": `${HEADER}export { LIMIT } from "./limits.js";\n`,
      "proto/src/limits.ts": `${HEADER}export const LIMIT = 1;\n\nexport const INNER = 2;\n\nexport function f() {}\n`,
    });
    expect(found.map(({ level, message }) => [level, message.split(" ")[0]])).toEqual([
      ["error", "LIMIT"],
      ["warning", "INNER"],
      ["error", "f"],
    ]);
  });

  it("accepts one comment for a const and the type of the same name", () => {
    const body = "/** Why a link ends. */\nexport const Reason = { A: 1 } as const;\nexport type Reason = 1;";
    expect(rulesBrokenBy(body)).toEqual([]);
  });
});

describe("evidence", () => {
  it("lists protocol rules that no test cites", () => {
    const protocol = { "proto/PROTOCOL.md": "**[P-1]** a rule\n**[P-2]** another\n" };
    const test = { "proto/src/a.test.ts": `${HEADER}it("obeys it [P-1]", () => {});\n` };
    expect(problemsWith({ ...protocol, ...test }).map(({ message }) => message)).toEqual(["no test cites [P-2]"]);
  });

  it("keeps the error table and docs/errors.md equal, both ways", () => {
    const files = {
      "gateway/src/core/errors.ts": `${HEADER}const ERRORS = {\n  E_ONE: 1,\n  E_TWO: 2,\n};\n`,
      "docs/errors.md": "E_TWO E_THREE\n",
    };
    expect(problemsWith(files).map(({ message }) => message)).toEqual([
      "E_THREE is not in core/errors.ts",
      "E_ONE is not in docs/errors.md",
    ]);
  });

  it("refuses focused and sleeping tests", () => {
    expect(rulesBrokenBy("it.only('x', f);", "gateway/src/session/a.test.ts")).toEqual(["only"]);
    expect(rulesBrokenBy("await sleep(10);", "gateway/src/session/a.test.ts")).toEqual(["sleep"]);
    const promise = "await new Promise((resolve) => setTimeout(resolve, 50));";
    expect(rulesBrokenBy(promise, "gateway/src/session/a.test.ts")).toEqual(["sleep"]);
    expect(rulesBrokenBy("await vi.waitFor(f);", "gateway/src/session/a.test.ts")).toEqual([]);
  });

  it("keeps operating systems out of the C core", () => {
    const file = "device-sdk/c/src/tg_client.c";
    expect(rulesBrokenBy('#include <stdint.h>\n#include "tg_frame.h"', file)).toEqual([]);
    expect(rulesBrokenBy("#include <stdio.h>", file)).toEqual(["c-includes"]);
  });
});

describe("hygiene", () => {
  it("refuses paths of one machine and names of registries in any file", () => {
    expect(rulesOf(problemsWith({ "docs/a.md": `see ${["", "work", "main"].join("/")}` }))).toEqual(["machine-path"]);
    expect(rulesOf(problemsWith({ "docs/a.md": ["registry", "npmjs", "org"].join(".") }))).toEqual(["registry"]);
    expect(rulesOf(problemsWith({ "docs/a.md": "a/work/b and framework/x" }))).toEqual([]);
  });

  it("refuses registry addresses and missing platforms in the lock file", () => {
    const lock = (packages) => ({ "package-lock.json": JSON.stringify({ packages }) });
    expect(rulesOf(problemsWith(lock({ "node_modules/a": { resolved: "https://example/a.tgz" } })))).toEqual([
      "lock-file",
    ]);
    expect(rulesOf(problemsWith(lock({ "node_modules/a": { resolved: "proto", link: true } })))).toEqual([]);
    const parent = { "node_modules/a": { optionalDependencies: { "a-darwin-arm64": "1.0.0" } } };
    expect(rulesOf(problemsWith(lock(parent)))).toEqual(["lock-file"]);
  });

  it("wants exact versions and a reason for each runtime dependency, and no reason without one", () => {
    const manifest = (dependencies) => ({ "gateway/package.json": JSON.stringify({ dependencies }) });
    const docs = { "docs/dependencies.md": "| `ws` | links |\n" };
    expect(problemsWith({ ...manifest({ ws: "8.0.0" }), ...docs })).toEqual([]);
    expect(problemsWith({ ...manifest({ ws: "^8.0.0" }), ...docs })[0]?.message).toContain("no exact version");
    const found = problemsWith({ ...manifest({ yaml: "2.0.0" }), ...docs });
    expect(found.map(({ message }) => message)).toEqual([
      "ws is no dependency any more",
      "yaml has no line in docs/dependencies.md",
    ]);
  });
});

describe("reading by pattern", () => {
  it("masks comments, strings, templates and regular expressions and keeps every position", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text under test is a template
    const text = 'a("x // y"); /* it\'s */ b(`t ${c("}")} u`); d(/["/]/g); e / f; // end';
    const { code } = maskSource(text);
    expect(code).toHaveLength(text.length);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the masked text is one too
    expect(code.replace(/ +/g, " ")).toBe('a(" "); b(` ${c(" ")} `); d(/ /g); e / f; ');
  });

  it("reads every form of import and no import inside a string", () => {
    const text = [
      'import a, { b } from "one";',
      'import type {\n  C,\n} from "two";',
      'export * from "three";',
      'export { d } from "four";',
      'import "five";',
      'const e = await import("six");',
      "const s = 'import x from \"seven\"';",
      'type F = import("eight").F;',
    ].join("\n");
    const found = importsOf(new Source("a.ts", text)).map(({ specifier }) => specifier);
    expect(found.sort()).toEqual(["eight", "five", "four", "one", "six", "three", "two"].sort());
  });

  it("tells functions from control flow and calls", () => {
    const text = `
      if (a) { }
      export async function one<T>(a: T, b: { c: number }): Promise<{ d: T }> { }
      const two = (a: number, b = f(1, 2)): a is string => { };
      class X { three(this: X, a: string) { } get four(): number { return 1; } #five(): void { } }
      call(a, b, c, d, e);
      switch (x) { case f(y): { } }
    `;
    const found = functionsOf(new Source("a.ts", text)).map(({ name, parameterCount }) => [name, parameterCount]);
    expect(found).toEqual([
      ["one", 2],
      ["", 2],
      ["three", 1],
      ["four", 0],
      ["#five", 0],
    ]);
  });

  it("measures a factory without the functions it holds", () => {
    const text = "function make() {\n  return {\n    a() {\n      x();\n      y();\n    },\n  };\n}\n";
    expect(functionLengths(new Source("a.ts", text))).toEqual([
      { name: "make", line: 1, lineCount: 6 },
      { name: "a", line: 3, lineCount: 4 },
    ]);
  });
});
