// Who may import whom.
//
//   5  main.ts                                   may import everything of the gateway
//   4  assembly (builds and wires the rooms)
//   3  southbound northbound storage admin config history              EDGES
//   2  session telemetry command enrollment spool twin                 DOMAINS
//   1  model (the shapes that domains and edges share), and the package proto
//   0  core
//
// Imports point down only, `import type` counts, and rooms on one level do not import one another.

import { posix } from "node:path";
import { isTest } from "./repository.mjs";
import { importsOf } from "./source.mjs";

const ROOM_LEVELS = {
  core: 0,
  model: 1,
  session: 2,
  telemetry: 2,
  command: 2,
  enrollment: 2,
  spool: 2,
  twin: 2,
  southbound: 3,
  northbound: 3,
  storage: 3,
  admin: 3,
  config: 3,
  cli: 4,
  history: 3,
  assembly: 4,
};
const TOP_LEVEL = 5;
const TOP_ROOM = "main";

/** Packages of ours that a package may import. */
const PACKAGE_MAY_IMPORT = {
  proto: [],
  gateway: ["@tidegate/proto"],
  "device-sdk/ts": ["@tidegate/proto"],
  // Runs the product's own rooms in one process, so it may reach into all of them; nothing imports it.
  "firmware-sim/world": ["@tidegate/proto", "@tidegate/device-sdk", "tidegate"],
  "firmware-sim": ["@tidegate/proto", "@tidegate/device-sdk"],
};
const OUR_PACKAGES = /^(@tidegate\/[\w-]+|tidegate)(\/|$)/;

/** Libraries that live behind one adapter: who may import them. */
const LIBRARY_HOMES = {
  ws: ["gateway/src/southbound/", "gateway/src/admin/live-socket.ts", "device-sdk/ts/src/links/"],
  "mqtt-packet": ["gateway/src/northbound/"],
  "better-sqlite3": ["gateway/src/storage/", "device-sdk/ts/src/outbox-"],
  serialport: ["gateway/src/southbound/", "device-sdk/ts/src/links/"],
  protobufjs: ["proto/src/"],
  pino: ["gateway/src/core/", "gateway/src/main.ts"],
  "prom-client": ["gateway/src/core/", "gateway/src/admin/"],
  commander: ["gateway/src/cli/", "firmware-sim/src/"],
  yaml: ["gateway/src/config/", "firmware-sim/src/boards/board-kind.ts"],
};

/** The package folder that a path belongs to, or null. */
export const packageOf = (path) =>
  Object.keys(PACKAGE_MAY_IMPORT).find((folder) => path.startsWith(`${folder}/`)) ?? null;

/** Room of a file of the gateway, "main" for the files directly in src; null outside gateway/src. */
export function roomOf(path) {
  const match = /^gateway\/src\/(?:([^/]+)\/)?[^/]*/.exec(path);
  if (match === null) return null;
  return match[1] ?? TOP_ROOM;
}

const levelOf = (room) => (room === TOP_ROOM ? TOP_LEVEL : ROOM_LEVELS[room]);

/** Path that a relative import means, as a source path (`./a.js` → `a.ts` when that exists). */
export function resolveImport(repository, fromPath, specifier) {
  const target = posix.normalize(posix.join(posix.dirname(fromPath), specifier));
  const candidates = [target, target.replace(/\.js$/, ".ts"), target.replace(/\.js$/, ".tsx"), `${target}.ts`];
  return candidates.find((candidate) => repository.has(candidate)) ?? target;
}

/** Rules `layers`, `packages` and `libraries`. */
export function checkLayers(repository) {
  return repository.scripts
    .filter(({ path }) => packageOf(path) !== null && !/^[^/]+\/(test|bin|web)\//.test(path))
    .flatMap((source) => importsOf(source).flatMap((found) => judge(repository, source.path, found)));
}

function judge(repository, path, { specifier, line }) {
  const problem = (rule, message) => [{ rule, path, line, message }];
  if (specifier.startsWith(".")) return judgeRelative(repository, path, specifier, problem);
  if (OUR_PACKAGES.test(specifier)) {
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    const own = packageOf(path);
    if (PACKAGE_MAY_IMPORT[own].includes(name)) return [];
    return problem("packages", `${own} must not import ${name}`);
  }
  const library = Object.keys(LIBRARY_HOMES).find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (library === undefined || isTest(path)) return [];
  if (LIBRARY_HOMES[library].some((home) => path.startsWith(home))) return [];
  return problem("libraries", `${library} is used in ${LIBRARY_HOMES[library].join(" and ")} only`);
}

function judgeRelative(repository, path, specifier, problem) {
  const target = resolveImport(repository, path, specifier);
  const own = packageOf(path);
  if (!target.startsWith(`${own}/`)) {
    if (isTest(path)) return [];
    return problem("packages", `${specifier} leaves the package; import another package by its name`);
  }
  const [from, to] = [roomOf(path), roomOf(target)];
  if (from === null || to === null || from === to || isTest(path)) return [];
  if (isTest(target)) return problem("layers", `${specifier} is for tests only`);
  for (const room of [from, to]) {
    if (levelOf(room) === undefined)
      return problem("layers", `the room "${room}" has no level; give it one in layers.mjs`);
  }
  if (levelOf(to) < levelOf(from)) return [];
  const direction = levelOf(to) === levelOf(from) ? "sideways" : "upwards";
  return problem("layers", `${from} must not import ${to} (${direction}); declare the interface you need instead`);
}

/** Rule `cycles`: groups of files that import one another in a ring, `import type` included. */
export function checkCycles(repository) {
  const graph = new Map();
  for (const source of repository.scripts) {
    const targets = importsOf(source)
      .filter(({ specifier }) => specifier.startsWith("."))
      .map(({ specifier }) => resolveImport(repository, source.path, specifier))
      .filter((target) => repository.has(target) && target !== source.path);
    graph.set(source.path, [...new Set(targets)]);
  }
  return findCycles(graph).map((cycle) => ({
    rule: "cycles",
    path: cycle[0],
    line: 1,
    message: `import cycle: ${[...cycle, cycle[0]].join(" → ")}`,
  }));
}

/** One ring for each edge that leads back to a file on the way down. */
function findCycles(graph) {
  const cycles = [];
  const state = new Map();
  const way = [];
  const visit = (path) => {
    state.set(path, "open");
    way.push(path);
    for (const target of graph.get(path) ?? []) {
      if (state.get(target) === "open") cycles.push(way.slice(way.indexOf(target)));
      else if (state.get(target) === undefined) visit(target);
    }
    way.pop();
    state.set(path, "done");
  };
  for (const path of graph.keys()) if (state.get(path) === undefined) visit(path);
  return cycles;
}
