// Tests that need a system program: run when it is here, skipped with the exact install line when it is not, and
// failed instead of skipped where nothing may be skipped (CI=true or TIDEGATE_NO_SKIP=1).
//
//   const withBroker = requires("mosquitto", "mosquitto_sub");
//   withBroker.describe("the MQTT sink against a real broker", () => { … });
//
// Which package brings which program is said once, in scripts/apt-packages.txt.

import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import * as vitest from "vitest";
import { skippingIsForbidden } from "./skipping.mjs";

export { skippingIsForbidden };

/** Finds the note that a skipped title carries; the first group is the packages, space-separated. */
export const INSTALL_NOTE = /\(skipped: apt-get install ([a-z0-9+. -]+)\)/g;

/** Debian puts daemons where an ordinary user's PATH does not look. */
const EXTRA_FOLDERS = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/**
 * Reads the package list.
 * @param {string} text the content of scripts/apt-packages.txt
 * @returns {{ name: string, commands: string[], reason: string }[]}
 */
export function parseAptPackages(text) {
  const packages = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [name = "", commands = "", reason = ""] = line.split("|").map((cell) => cell.trim());
    packages.push({ name, commands: commands.split(",").map((command) => command.trim()), reason });
  }
  return packages;
}

/** Full path of an executable on PATH (or in the sbin folders), or of a file given by its full path; or null. */
export function findCommand(command, path = process.env.PATH ?? "") {
  if (command.startsWith("/")) return existsSync(command) ? command : null;
  for (const folder of [...path.split(delimiter), ...EXTRA_FOLDERS]) {
    if (folder === "") continue;
    const candidate = join(folder, command);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder; look in the next.
    }
  }
  return null;
}

function packageOf(command) {
  const list = parseAptPackages(readFileSync(new URL("../apt-packages.txt", import.meta.url), "utf8"));
  const found = list.find((entry) => entry.commands.includes(command));
  if (found === undefined) {
    throw new Error(`no package in scripts/apt-packages.txt brings "${command}"; add a line with the reason`);
  }
  return found.name;
}

function variantOf(run, note, mode) {
  if (mode === "run") return run;
  const skipped = (name, ...rest) => run.skip(`${name} ${note}`, ...rest);
  const failed = (name) =>
    vitest.it(name, () => {
      throw new Error(`this test needs programs that are absent and nothing may be skipped here; ${note}`);
    });
  const variant = mode === "skip" ? skipped : failed;
  return Object.assign(variant, { each: () => variant });
}

/**
 * Declares which programs the tests of a file need.
 * @param {...string} commands program names, or full paths of files that are no programs (a library's header), each
 *   listed in scripts/apt-packages.txt
 * @returns `describe` and `it` that run, skip (title names the install line) or fail; `path(command)` gives the full
 *   path; `isAvailable` says whether all are here.
 * @throws Error when a command is in no package of the list
 */
export function requires(...commands) {
  const paths = new Map(commands.map((command) => [command, findCommand(command)]));
  const missing = commands.filter((command) => paths.get(command) === null);
  const packages = [...new Set(commands.map(packageOf))].filter((name) =>
    missing.some((command) => packageOf(command) === name),
  );
  const note = `(skipped: apt-get install ${packages.join(" ")})`;
  const mode = missing.length === 0 ? "run" : skippingIsForbidden() ? "fail" : "skip";
  return {
    isAvailable: missing.length === 0,
    describe: variantOf(vitest.describe, note, mode),
    it: variantOf(vitest.it, note, mode),
    path: (command) => paths.get(command) ?? command,
  };
}
