/** The data folder: its rights, its space, and what it lies on. Edge room `cli`, pure. */
import { CARD_COMMIT_MS } from "../../config/card.js";
import { bytes, waited } from "../quantities.js";
import { type Check, fail, ok, warn } from "./check.js";
import type { Account, FolderFacts, SpaceFacts } from "./facts.js";

const FOLDER = "data folder";

/** Below this the spool refuses records at once: the reserve and one checkpoint need it. */
const FREE_BYTES_MIN = 32 * 1024 * 1024;

const NAMES_SHOWN_MAX = 4;

/**
 * May the gateway's user work in the data folder?
 *
 * @param isRunning a gateway runs on it: then the folder is its user's, whoever asks.
 */
export function folderCheck(facts: FolderFacts, isRunning: boolean): Check {
  const { path, kind, owner, user } = facts;
  const owned = owner === null ? "" : `, owned by ${owner.name}`;
  if (kind === "other") {
    return fail(FOLDER, `${path} is a file, not a folder`, `move it away, or set gateway.dataDir to another place`);
  }
  if (isRunning && owner !== null && user !== null && owner.id !== user.id) {
    return foreignFiles(facts) ?? ok(FOLDER, `${path}${owned}; a gateway runs on it`);
  }
  if (kind === "hidden" || facts.errno !== null) return unusable(facts);
  if (kind === "absent") return ok(FOLDER, `${path} is not there yet; it is made at the first start`);
  const foreign = foreignFiles(facts);
  if (foreign !== null) return foreign;
  if (facts.othersMayWrite) {
    return warn(FOLDER, `everybody on this machine may write to ${path}${owned}`, `run \`chmod o-w ${path}\``);
  }
  return ok(FOLDER, `${path}${owned}`);
}

function unusable({ path, kind, existing, errno, owner, user }: FolderFacts): Check {
  const who = nameOf(user);
  if (errno === "EROFS") {
    const fix = "mount it writable; a card that went read-only by itself is worn out: see `dmesg`";
    return fail(FOLDER, `${existing} is on a read-only file system`, fix);
  }
  if (errno === "ENOTDIR") {
    return fail(FOLDER, `${existing}, above ${path}, is a file`, "set gateway.dataDir to another place");
  }
  if (errno !== "EACCES" && errno !== "EPERM") {
    return fail(FOLDER, `${path} cannot be read (${errno ?? "no reason given"})`, "check the disk and the path");
  }
  const where = kind === "absent" ? `${path} is not there and cannot be made in ${existing}` : `${path} cannot be used`;
  const whose = owner === null ? "" : `, and it belongs to ${owner.name}`;
  const mine = `sudo mkdir -p ${path} && sudo chown -R "$(id -un)" ${path}`;
  const theirs =
    owner === null || kind === "absent" ? "" : `, or run as its user: sudo -u ${owner.name} tidegate doctor`;
  return fail(FOLDER, `${where} by ${who}${whose}`, `make it yours: ${mine}${theirs}`);
}

/** Files that another user left, usually root by a start with sudo. */
function foreignFiles({ path, foreign, owner, user }: FolderFacts): Check | null {
  if (foreign.length === 0) return null;
  const shown = foreign.slice(0, NAMES_SHOWN_MAX).join(", ");
  const more = foreign.length > NAMES_SHOWN_MAX ? ` and ${foreign.length - NAMES_SHOWN_MAX} more` : "";
  const by = nameOf(owner ?? user);
  const fix = `stop the gateway, then give them back: sudo chown -R ${by}: ${path}`;
  return fail(FOLDER, `${by} may not write ${shown}${more} in ${path}; a start with sudo leaves such files`, fix);
}

const nameOf = (account: Account | null): string => account?.name ?? "this user";

/** Is there room for what the quotas allow? */
export function spaceCheck({ freeBytes, usedBytes }: SpaceFacts, quotaBytes: number): Check {
  const name = "free space";
  const room = `${bytes(freeBytes)} free, ${bytes(usedBytes)} used of quotas of ${bytes(quotaBytes)}`;
  if (freeBytes < FREE_BYTES_MIN) {
    return fail(name, `${room}: the gateway refuses records`, "make space on the disk, or move gateway.dataDir");
  }
  if (freeBytes + usedBytes < quotaBytes) {
    const fix = "make space, or lower storage.quota and history.quota: the disk is full before an outage fills them";
    return warn(name, room, fix);
  }
  return ok(name, room);
}

/** File systems in memory: gone with the power, whatever was acknowledged. */
const IN_MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

/** Locks and fsync over a network are not what SQLite counts on. */
const REMOTE: ReadonlySet<string> = new Set(["nfs", "nfs4", "cifs", "smb2", "smb3", "9p", "fuse.sshfs"]);

/** What the folder lies on, and what `storage.commitInterval` means there. */
export function diskCheck({ fileSystem, isOnCard }: SpaceFacts, commitIntervalMs: number | "auto"): Check {
  const name = "disk";
  const kind = isOnCard ? "an SD card or eMMC" : "no SD card or eMMC";
  const on = `${fileSystem ?? "unknown file system"}, ${kind}`;
  if (fileSystem !== null && IN_MEMORY.has(fileSystem)) {
    const fix = "set gateway.dataDir to a folder on a disk";
    return warn(name, `${fileSystem} is memory: what is acknowledged is gone with the power`, fix);
  }
  if (fileSystem !== null && REMOTE.has(fileSystem)) {
    const fix = "set gateway.dataDir to a folder on a disk of this machine";
    return warn(name, `${fileSystem} is a disk over the network, whose locks and fsync SQLite cannot count on`, fix);
  }
  if (fileSystem === "overlay") {
    return warn(name, "the layer of a container, which is removed with it", "mount a volume at gateway.dataDir");
  }
  if (commitIntervalMs === "auto") return ok(name, `${on}; ${autoMeaning(isOnCard)}`);
  if (isOnCard && commitIntervalMs < CARD_COMMIT_MS) {
    const detail = `${on}, and storage.commitInterval is ${waited(commitIntervalMs)}: many small writes wear it out`;
    return warn(name, detail, "set storage.commitInterval to auto, or put gateway.dataDir on an SSD");
  }
  return ok(name, `${on}; commits are gathered for ${waited(commitIntervalMs)} (storage.commitInterval)`);
}

const autoMeaning = (isOnCard: boolean): string =>
  isOnCard
    ? `commits are gathered for ${waited(CARD_COMMIT_MS)} to spare it, so an ack may take that long`
    : "commits at once (storage.commitInterval: auto)";
