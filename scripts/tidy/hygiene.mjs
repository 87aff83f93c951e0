// What must not travel with the repository: paths of one machine, the package registry of one company, and a lock file
// or a dependency that nobody vouches for.

import { missingPlatforms } from "../lock-platforms.mjs";
import { isGenerated } from "./repository.mjs";

// Built from pieces, so that this file does not find itself.
const MACHINE_PATHS = new RegExp(`(?<![\\w.$}~-])/(?:${["work", "root", "Users"].join("|")})/[\\w.-]`, "g");
const PUBLIC_REGISTRIES = [
  ["registry", "npmjs", "org"],
  ["registry", "yarnpkg", "com"],
  ["deb", "debian", "org"],
];

/** Rules `machine-path` and `registry`. The registry in use here is told by npm, and must not be named either. */
export function checkPlaces(repository, env = process.env) {
  const hosts = [...PUBLIC_REGISTRIES.map((words) => words.join(".")), ...registryHostInUse(env)];
  return repository.files
    .filter(({ path }) => !isGenerated(path))
    .flatMap((source) => {
      const problems = [...source.text.matchAll(MACHINE_PATHS)].map((match) => ({
        rule: "machine-path",
        path: source.path,
        line: source.lineAt(match.index),
        message: `${match[0]}… exists on one machine only`,
      }));
      for (const host of hosts) {
        const index = source.text.indexOf(host);
        if (index === -1) continue;
        problems.push({
          rule: "registry",
          path: source.path,
          line: source.lineAt(index),
          message: "names a package registry",
        });
      }
      return problems;
    });
}

function registryHostInUse(env) {
  try {
    const host = new URL(env.npm_config_registry).hostname;
    return host === "localhost" || host === "127.0.0.1" ? [] : [host];
  } catch {
    return [];
  }
}

/** Rule `lock-file`: no registry addresses, and an entry for every platform, so that `npm ci` works everywhere. */
export function checkLockFile(repository) {
  const source = repository.file("package-lock.json");
  if (source === null) return [];
  const problem = (message) => ({ rule: "lock-file", path: source.path, line: 1, message });
  const lock = JSON.parse(source.text);
  const resolved = Object.entries(lock.packages).filter(([, entry]) => /^\w+:\/\//.test(entry.resolved ?? ""));
  return [
    ...resolved.map(([name]) => problem(`${name} names where it was fetched from; .npmrc should prevent that`)),
    ...missingPlatforms(lock).map(({ name }) => problem(`${name} is missing; run node scripts/lock-platforms.mjs`)),
  ];
}

/** Rule `dependencies`: each runtime dependency is exact and has its reason in docs/dependencies.md. */
export function checkDependencies(repository) {
  const docs = repository.file("docs/dependencies.md");
  const listed = new Set([...(docs?.text ?? "").matchAll(/^\|\s*`([^`]+)`/gm)].map((match) => match[1]));
  const used = new Set();
  const problems = [];
  for (const source of repository.files.filter(({ path }) => /(^|\/)package\.json$/.test(path))) {
    const manifest = JSON.parse(source.text);
    const all = { ...manifest.dependencies, ...manifest.devDependencies };
    for (const name of Object.keys(all)) used.add(name);
    for (const [name, version] of Object.entries(all)) {
      const problem = (message) => problems.push({ rule: "dependencies", path: source.path, line: 1, message });
      if (!/^(npm:.*@)?\d+\.\d+\.\d+/.test(version)) problem(`${name} has no exact version (${version})`);
    }
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      if (name.startsWith("@tidegate/") || name === "tidegate") continue;
      if (!listed.has(name)) {
        problems.push({
          rule: "dependencies",
          path: source.path,
          line: 1,
          message: `${name} has no line in docs/dependencies.md`,
        });
      }
    }
  }
  for (const name of listed) {
    if (used.has(name)) continue;
    problems.push({
      rule: "dependencies",
      path: "docs/dependencies.md",
      line: 1,
      message: `${name} is no dependency any more`,
    });
  }
  return problems;
}
