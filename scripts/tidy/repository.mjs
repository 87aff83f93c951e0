// The files that tidy looks at: what git tracks or would track, each read once.

import { execFileSync } from "node:child_process";
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Source } from "./source.mjs";

/** A file larger than this is data. */
const FILE_BYTES_MAX = 1024 * 1024;

/** The repository as a set of texts; rules never touch the disk. */
export class Repository {
  #files;

  /** @param {Record<string, string>} texts content by path, with forward slashes, relative to the root */
  constructor(texts) {
    this.#files = new Map(Object.entries(texts).map(([path, text]) => [path, new Source(path, text)]));
  }

  /** All files in order of their paths. */
  get files() {
    return [...this.#files.values()];
  }

  /** One file, or null. */
  file(path) {
    return this.#files.get(path) ?? null;
  }

  has(path) {
    return this.#files.has(path);
  }

  /** Hand-written TypeScript and JavaScript. */
  get scripts() {
    return this.files.filter(({ path }) => /\.(ts|tsx|mts|mjs|js)$/.test(path) && !isGenerated(path));
  }

  /** Hand-written TypeScript that ships: neither tests nor what only tests use. */
  get product() {
    return this.scripts.filter(
      ({ path }) => /^(proto|gateway|device-sdk\/ts|firmware-sim)\/src\//.test(path) && !isTest(path),
    );
  }

  /** Tests of every language. */
  get tests() {
    return this.files.filter(({ path }) => isTest(path) && !isGenerated(path));
  }
}

/** Tool output, never edited and never judged. */
export const isGenerated = (path) => /(^|\/)(generated|dist|vendor)\//.test(path) || /\.min\.js$/.test(path);

/** Tests and what only tests use. */
export const isTest = (path) => /\.test\.(ts|tsx|mjs)$/.test(path) || /(^|\/)(testing|test)\//.test(path);

/** Reads what git tracks, and what it would track: a new file is judged before it is added. */
export function readRepository(root) {
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const texts = {};
  for (const path of listed.split("\0").filter((name) => name !== "")) {
    const text = readText(join(root, path));
    if (text !== null) texts[path] = text;
  }
  return new Repository(texts);
}

/** Null for what is gone, no plain file, too large or binary. */
function readText(file) {
  try {
    const status = lstatSync(file);
    if (!status.isFile() || status.size > FILE_BYTES_MAX) return null;
    const text = readFileSync(file, "utf8");
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}
