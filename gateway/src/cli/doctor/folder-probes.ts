/** Looks at the data folder: rights, space, and the small files of the gateway in it. Edge room `cli`. */
import { access, constants, lstat, readdir, readFile, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { type BlockFacts, isOnCard } from "../../config/card.js";
import { errnoOf } from "../../config/locations.js";
import { blockNumber, systemBlockFacts } from "../../config/machine.js";
import { currentUser, userOf } from "./accounts.js";
import type { Account, FolderFacts, GatewayFileFacts, SpaceFacts, TokenFacts } from "./facts.js";
import type { StoreFiles } from "./store-check.js";

/** Entries of the folder that are looked at; a gateway makes about ten. */
const ENTRIES_MAX = 1_000;

/** What the gateway writes to over and over; a person's own files beside them are none of our business. */
const WRITTEN = /\.db(-wal|-shm|-journal)?$|^pki$/;

/** Magic numbers of statfs(2) that mean something here, as in linux/magic.h. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x9123683e, "btrfs"],
  [0x58465342, "xfs"],
  [0xf2f52010, "f2fs"],
  [0x2fc12fc1, "zfs"],
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
  [0x794c7630, "overlay"],
  [0x6969, "nfs"],
  [0xff534d42, "cifs"],
  [0xfe534d42, "smb2"],
  [0x01021997, "9p"],
]);

/** The errno of a failed attempt; null when it worked. */
export async function errnoFrom(attempt: Promise<unknown>): Promise<string | null> {
  try {
    await attempt;
    return null;
  } catch (error) {
    return errnoOf(error) ?? "EIO";
  }
}

/** Names and sizes of what lies in the data folder; null when it cannot be read. */
export async function storeFiles(path: string): Promise<StoreFiles | null> {
  try {
    const names = (await readdir(path)).slice(0, ENTRIES_MAX);
    return new Map(await Promise.all(names.map(async (name) => [name, (await lstat(join(path, name))).size] as const)));
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? new Map() : null;
  }
}

/** Rights on the data folder, or on the nearest one above it. Writes nothing. */
export async function folderFacts(path: string): Promise<FolderFacts> {
  const user = await currentUser();
  const own = await errnoFrom(stat(path));
  const isHidden = own !== null && own !== "ENOENT" && own !== "ENOTDIR";
  const existing = own === null || isHidden ? path : await nearestExisting(dirname(path));
  const found = isHidden ? null : await stat(existing);
  const owner = found === null ? null : await userOf(found.uid);
  const isFolder = found?.isDirectory() ?? false;
  const rights = constants.R_OK | constants.W_OK | constants.X_OK;
  const base = { path, existing, owner, user, othersMayWrite: false, foreign: [] };
  if (isHidden) return { ...base, kind: "hidden", errno: own };
  if (own === null && !isFolder) return { ...base, kind: "other", errno: null };
  if (!isFolder) return { ...base, kind: "absent", errno: "ENOTDIR" };
  const errno = await errnoFrom(access(existing, rights));
  if (own !== null) return { ...base, kind: "absent", errno };
  const foreign = await foreignNames(path, owner, user);
  return { ...base, kind: "folder", errno, foreign, othersMayWrite: ((found?.mode ?? 0) & 0o002) !== 0 };
}

async function nearestExisting(path: string): Promise<string> {
  const above = dirname(path);
  return above === path || (await errnoFrom(stat(path))) === null ? path : nearestExisting(above);
}

/**
 * Files the folder's user could not write. Its own user simply tries; for root, and for somebody else, the owner
 * counts: root may write everything, the gateway's user may not.
 */
async function foreignNames(path: string, owner: Account | null, user: Account | null): Promise<string[]> {
  const names = (await namesIn(path)).filter((name) => WRITTEN.test(name)).slice(0, ENTRIES_MAX);
  const isOwner = owner === null || user === null || owner.id === user.id;
  const foreign: string[] = [];
  for (const name of names) {
    const file = join(path, name);
    const found = await lstat(file).catch(() => null); // gone in the meantime
    if (found === null) continue;
    const isForeign = isOwner
      ? (await errnoFrom(access(file, constants.W_OK))) === "EACCES"
      : owner.id !== 0 && found.uid !== owner.id && (found.mode & 0o020) === 0;
    if (isForeign) foreign.push(name);
  }
  return foreign;
}

async function namesIn(path: string): Promise<string[]> {
  return readdir(path).catch(() => []); // what may not be listed is told by `errno`
}

/** Free and used bytes, and what kind of disk it is. Errors: Node's, when the file system does not answer. */
export async function spaceFacts(path: string): Promise<SpaceFacts> {
  const existing = await nearestExisting(path);
  const disk = await statfs(existing);
  const sizes = (await namesIn(path)).slice(0, ENTRIES_MAX).map(async (name) => {
    const found = await lstat(join(path, name)).catch(() => null);
    return found?.isFile() === true ? found.size : 0;
  });
  return {
    freeBytes: disk.bavail * disk.bsize,
    usedBytes: (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0),
    fileSystem: FILE_SYSTEMS.get(disk.type >>> 0) ?? null,
    isOnCard: isOnCard(existing, await blockFacts(existing)),
  };
}

/** The disk below a path; only the question to the path itself may hang, so it alone does not block. */
async function blockFacts(path: string): Promise<BlockFacts> {
  const { dev } = await stat(path);
  return { ...systemBlockFacts(), deviceNumber: () => blockNumber(dev) };
}

const gatewayFile = z.looseObject({
  url: z.url({ protocol: /^https?$/ }).max(1024),
  pid: z.number().int().positive(),
  devicesPort: z.number().int().min(0).max(65_535).nullable().default(null),
  adminPort: z.number().int().min(0).max(65_535).nullable().default(null),
});

/** What gateway.json says, and whether its process lives. */
export async function gatewayFileFacts(dataDir: string, isAlive: (pid: number) => boolean): Promise<GatewayFileFacts> {
  const path = join(dataDir, "gateway.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    return code === "EACCES" || code === "EPERM" ? { state: "denied", path } : { state: "absent" };
  }
  try {
    const { url, pid, devicesPort, adminPort } = gatewayFile.parse(JSON.parse(text));
    if (!isAlive(pid)) return { state: "stale", path, pid };
    return { state: "running", url, pid, devicesPort, adminPort };
  } catch {
    return { state: "damaged", path };
  }
}

/** Whether this user may read the admin token; the token itself is not kept. */
export async function tokenFacts(dataDir: string): Promise<TokenFacts> {
  const path = join(dataDir, "admin.token");
  try {
    const text = await readFile(path, "utf8");
    const { mode } = await stat(path);
    return { path, state: text.trim() === "" ? "empty" : "readable", othersMayRead: (mode & 0o004) !== 0 };
  } catch (error) {
    const code = errnoOf(error);
    return { path, state: code === "EACCES" || code === "EPERM" ? "denied" : "absent", othersMayRead: false };
  }
}
