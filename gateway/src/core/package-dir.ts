/**
 * Where this program's package lies, wherever its code was compiled or bundled to: the nearest folder above this file
 * that has its package.json.
 *
 *   <package>/dist/core/package-dir.js      as compiled
 *   <package>/dist/app/chunk-….js           as bundled
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the package: it holds `package.json`, `bin` and `dist`. Errors: an Error when there is none. */
export function packageDir(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error("no package.json lies above the program: it was not installed whole");
    folder = above;
  }
  return folder;
}

/** `0.1.0`: the version in the package's package.json. */
export function packageVersion(): string {
  const text = readFileSync(join(packageDir(), "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string }; // our own file
  return version;
}
