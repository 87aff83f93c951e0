// Completes package-lock.json with the platform packages that the registry in use could not name.
//
// npm leaves an optional platform package (a macOS binary, say) out of the lock file when its registry, often a mirror,
// does not carry it. `npm ci` then refuses the lock file everywhere, also where nobody needs that package. The version
// is known all the same, because the parent names it exactly; the platform is in its name. Run this after
// `npm install`; tidy checks that it was run.

import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const LOCK_URL = new URL("../package-lock.json", import.meta.url);

const OS_NAMES = ["darwin", "linux", "win32", "android", "freebsd", "netbsd", "openbsd", "sunos", "aix", "openharmony"];
const CPU_NAMES = { aarch64: "arm64", armv7: "arm", arm: "arm", arm64: "arm64", x64: "x64", ia32: "ia32" };

/**
 * Optional dependencies that no entry of the lock file answers.
 * @param {{ packages: Record<string, object> }} lock the parsed lock file
 * @returns {{ parent: string, name: string, version: string }[]}
 */
export function missingPlatforms(lock) {
  const missing = [];
  for (const [parent, entry] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isAnswered(lock, parent, name)) missing.push({ parent, name, version });
    }
  }
  return missing;
}

/** Node's own search: beside the parent's modules, then one folder up, to the root. */
function isAnswered(lock, parent, name) {
  for (let folder = parent; ; ) {
    const prefix = folder === "" ? "" : `${folder}/`;
    if (lock.packages[`${prefix}node_modules/${name}`] !== undefined) return true;
    if (folder === "") return false;
    const cut = folder.lastIndexOf("/node_modules/");
    folder = cut === -1 ? "" : folder.slice(0, cut);
  }
}

/** The lock entry for a platform package, told from its name; null when that tells no platform or no exact version. */
export function platformEntry({ name, version }, isDev) {
  const words = name.split(/[/-]/);
  const os = words.filter((word) => OS_NAMES.includes(word));
  const cpu = words.filter((word) => CPU_NAMES[word] !== undefined).map((word) => CPU_NAMES[word]);
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+/.test(version)) return null;
  const entry = { version, cpu };
  if (isDev) entry.dev = true;
  if (os[0] === "linux") entry.libc = [words.includes("musl") ? "musl" : "glibc"];
  return { ...entry, optional: true, os };
}

/** Adds what is missing, in place; returns the names added. */
export function completeLock(lock) {
  const added = [];
  for (const { parent, name, version } of missingPlatforms(lock)) {
    const entry = platformEntry({ name, version }, lock.packages[parent].dev === true);
    if (entry === null) continue;
    lock.packages[`node_modules/${name}`] = entry;
    added.push(name);
  }
  const byPath = ([a], [b]) => (a < b ? -1 : a > b ? 1 : 0);
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(byPath));
  return added;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const lock = JSON.parse(readFileSync(LOCK_URL, "utf8"));
  const added = completeLock(lock);
  if (added.length > 0) writeFileSync(LOCK_URL, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(added.length === 0 ? "package-lock.json is complete" : `added ${added.join(", ")}`);
}
