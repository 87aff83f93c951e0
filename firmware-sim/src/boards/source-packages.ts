/**
 * Source packages of this Debian, for images that need lwIP and mbedTLS: nothing of them is kept in the repository.
 *
 *   entries of the system's own mirrors ─▶ apt-get source, its lists in our cache ─▶ <cache>/<name>-<version>
 *
 * Needs no root and changes nothing outside the cache, which may be deleted at any time.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf, SimError } from "../sim-error.js";

/** Lists and two archives of some megabytes, over a slow line. */
const FETCH_MS_MAX = 300_000;
const WORDS_MAX = 600;

/** What it takes to fetch and unpack them, with the packages that bring it. */
export const SOURCE_NEEDS = { "apt-get": "apt", "dpkg-source": "dpkg-dev" };

/**
 * The unpacked source package of that name, fetched when the cache has none.
 *
 * @param path the PATH to look for programs on
 * @throws SimError when it cannot be fetched, with apt's words
 */
export async function sourcePackage(name: string, { cache, path }: { cache: string; path: string }): Promise<string> {
  const found = (): string | undefined =>
    existsSync(cache)
      ? readdirSync(cache, { withFileTypes: true }).find((e) => e.isDirectory() && e.name.startsWith(`${name}-`))?.name
      : undefined;
  try {
    if (found() === undefined) await apt(["source", name], cache, path);
  } catch (error) {
    const words = error instanceof Error && "stderr" in error ? String(error.stderr) : messageOf(error);
    throw new SimError(
      `the source of ${name} could not be fetched`,
      words.trim().slice(-WORDS_MAX) || "apt-get said nothing",
      "check that a Debian mirror is reached, then try again; the other boards do not need it",
    );
  }
  const folder = found();
  if (folder !== undefined) return join(cache, folder);
  throw new SimError(`the source of ${name} could not be unpacked`, `${cache} has no ${name}-*`, `delete ${cache}`);
}

/** apt with the system's own mirrors and keys, but asked for sources, and with its lists in our cache. */
async function apt(command: readonly string[], cache: string, path: string): Promise<void> {
  const state = join(cache, "apt");
  for (const folder of ["lists/partial", "archives/partial"]) mkdirSync(join(state, folder), { recursive: true });
  const entries = join(state, "own.sources");
  writeFileSync(entries, sourceEntries());
  const options = [`Dir::Etc::sourcelist=${entries}`, "Dir::Etc::sourceparts=/dev/null"];
  options.push(`Dir::State::lists=${join(state, "lists")}`, `Dir::Cache=${state}`, "APT::Sandbox::User=");
  const run = (...args: readonly string[]) =>
    promisify(execFile)("apt-get", ["-q", ...options.flatMap((option) => ["-o", option]), ...args], {
      cwd: cache,
      env: { PATH: path },
      timeout: FETCH_MS_MAX,
    });
  if (readdirSync(join(state, "lists")).length < 2) await run("update");
  await run(...command);
}

/** The entries of the distribution itself, as entries for sources. */
function sourceEntries(): string {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "stable";
  const folder = "/etc/apt/sources.list.d";
  const files = [
    "/etc/apt/sources.list",
    ...(existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []),
  ];
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
  const stanzas = texts.flatMap((text) => text.split(/\n\s*\n/)).filter((text) => /^Types:.*\bdeb\b/m.test(text));
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => /^deb\s/.test(line));
  const isOwn = (text: string): boolean => new RegExp(`\\b${codename}\\b`).test(text) && /\bmain\b/.test(text);
  return [
    ...stanzas.filter(isOwn).map((text) => text.replace(/^Types:.*$/m, "Types: deb-src")),
    ...lines.filter(isOwn).map(asStanza),
  ].join("\n\n");
}

function asStanza(line: string): string {
  const [, options = "", uri = "", suite = "", components = ""] =
    /^deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
  const key = /signed-by=(\S+?)[\]\s]/.exec(options)?.[1];
  const rows = ["Types: deb-src", `URIs: ${uri}`, `Suites: ${suite}`, `Components: ${components}`];
  return [...rows, ...(key === undefined ? [] : [`Signed-By: ${key}`])].join("\n");
}
