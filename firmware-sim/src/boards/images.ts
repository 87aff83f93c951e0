/** Builds the firmware images that boards need, once for everybody who asks at the same time. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../rehearse/find-program.js";
import { SimError } from "../sim-error.js";
import { type BoardKind, REPOSITORY } from "./board-kind.js";
import { sourcePackage } from "./source-packages.js";

/** A cold build of one image takes two seconds; a busy machine may take ten times as long. */
const BUILD_MS_MAX = 120_000;
/** mbedTLS and lwIP are a hundred files, compiled once. */
const SOURCES_BUILD_MS_MAX = 900_000;
/** Where source packages are kept: `npm ci` clears it, and `git` does not see it. */
const SOURCE_CACHE = join(REPOSITORY, "node_modules", ".cache", "tidegate-m3");
const WORDS_MAX = 600;

/**
 * Make the images of some kinds.
 *
 * @param path the PATH to look for compilers and emulators on
 * @returns the folder of each kind's images
 * @throws SimError with the install line when a program is missing, with the compiler's words when it fails
 */
export async function buildImages(kinds: readonly BoardKind[], path: string): Promise<Map<BoardKind, string>> {
  const missing = new Set(
    kinds.flatMap(({ needs }) =>
      Object.entries(needs).flatMap(([program, packages]) => (findProgram(program, path) === null ? [packages] : [])),
    ),
  );
  if (missing.size > 0) {
    const names = kinds.map(({ name }) => name).join(", ");
    throw new SimError(
      "a program is missing",
      `it takes more to run ${names}`,
      `apt-get install ${[...missing].join(" ")}`,
    );
  }
  const folders = new Map<BoardKind, string>();
  // One after the other: two compilers at once would not be faster on the machines that this runs on.
  for (const kind of kinds) folders.set(kind, await buildOne(kind, path));
  return folders;
}

async function buildOne({ name, folder, targets, sources }: BoardKind, path: string): Promise<string> {
  const build = join(folder, "build");
  mkdirSync(build, { recursive: true });
  const from: string[] = [];
  for (const [source, variable] of Object.entries(sources)) {
    mkdirSync(SOURCE_CACHE, { recursive: true });
    from.push(`${variable}=${await sourcePackage(source, { cache: SOURCE_CACHE, path })}`);
  }
  const wanted = targets.map((target) => join("build", target));
  const make = ["make", "--no-print-directory", "-j2", "-C", folder, ...from, ...wanted];
  try {
    // The lock keeps two simulators from writing one image at the same time.
    await promisify(execFile)("flock", [join(build, ".lock"), ...make], {
      env: { PATH: path },
      timeout: from.length > 0 ? SOURCES_BUILD_MS_MAX : BUILD_MS_MAX,
    });
  } catch (error) {
    const words = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const why = words.trim().slice(-WORDS_MAX);
    throw new SimError(
      `the image of ${name} could not be built`,
      why,
      `run \`make -C ${folder}\` and mend what it says`,
    );
  }
  return build;
}
