// Which Debian packages a peer still needs.

import { readFileSync } from "node:fs";
import { findCommand, parseAptPackages } from "../testing/requires.mjs";
import { inRoot } from "../workspace/report.mjs";

/** Packages that bring the absent ones of these programs; empty when all are here. */
export function missingPackages(programs, find = findCommand) {
  const absent = programs.filter((program) => find(program) === null);
  if (absent.length === 0) return [];
  const packages = parseAptPackages(readFileSync(inRoot("scripts/apt-packages.txt"), "utf8"));
  const bringing = (program) => packages.find(({ commands }) => commands.includes(program))?.name ?? program;
  return [...new Set(absent.map(bringing))];
}
