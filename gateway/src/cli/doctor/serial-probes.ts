/** Looks at serial lines without opening them: opening one resets many boards. Edge room `cli`. */
import { access, constants, readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { currentUser, groupOf, isListedOnly } from "./accounts.js";
import type { SerialFacts } from "./facts.js";
import { errnoFrom } from "./folder-probes.js";

const BY_ID = "/dev/serial/by-id";

/** Adapters named at most; more than a hub holds. */
const NAMES_MAX = 32;

/** Adapters that are plugged in, by the names that stay theirs. */
export async function serialNames(): Promise<readonly string[]> {
  const names = await readdir(BY_ID).catch(() => []); // the folder is there while something is plugged in
  return names.slice(0, NAMES_MAX).map((name) => join(BY_ID, name));
}

/** `path` as configured: a device file, or `unix:` and the path of a socket. */
export async function serialFacts(path: string): Promise<SerialFacts> {
  const file = path.replace(/^unix:/, "");
  const [user, names] = await Promise.all([currentUser(), serialNames()]);
  const errno = await errnoFrom(access(file, constants.R_OK | constants.W_OK));
  const found = await stat(file).catch(() => null);
  const group = found === null ? null : await groupOf(found.gid);
  const isListedInGroup = user !== null && group !== null && (await isListedOnly(user, group));
  // A line that is there is shown its own other names; for a missing one all of them may help.
  const real = await realpath(file).catch(() => null);
  const byId = real === null ? names : await sameFile(names, real);
  return { path, errno, group, isListedInGroup, user, byId };
}

async function sameFile(names: readonly string[], real: string): Promise<string[]> {
  const targets = await Promise.all(names.map((name) => realpath(name).catch(() => null)));
  return names.filter((_, at) => targets[at] === real);
}
