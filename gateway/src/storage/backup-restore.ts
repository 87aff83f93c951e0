/**
 * Puts a backup into an empty data folder. Nothing is in place before all of it is proven and on the disk.
 *
 *   read ─▶ restore.tmp/ ─▶ SHA-256 · whose database · schema ─▶ marked as restored ─▶ fsync ─▶ renamed, spool.db last
 *                                                                    │
 *     the marks in it are older than what devices were told since ───┘  so the first start writes a gap entry per
 *     device, voids unfinished commands and takes a new name; epochs are drawn anew [P-6] [P-8] [P-20]
 *
 * While restore.tmp is there no gateway starts on the folder: a restore that was cut off must be done again.
 */
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { GatewayError } from "../core/errors.js";
import { type Manifest, readArchive } from "./backup-archive.js";
import { invalid } from "./backup-tar.js";
import { IDENTITY_SCHEMA } from "./identity-schema.js";
import { IDENTITY_FILE, markRestored, SPOOL_FILE } from "./open-stores.js";
import type { Schema } from "./schema.js";
import { SPOOL_SCHEMA } from "./spool-schema.js";

/** Where a backup is unpacked; its being there keeps the gateway from starting. */
export const RESTORE_FOLDER = "restore.tmp";

/** What does not make a data folder full: the lock of the one who restores, and what earlier restores moved aside. */
const IGNORED = /^(?:gateway\.lock|lost\+found|restore\.tmp|backup\.tmp|replaced-\d+)$/;

export interface RestoreOptions {
  /** Locked by the caller. */
  readonly dataDir: string;
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Move what is in the folder aside instead of refusing. */
  readonly force: boolean;
  readonly unixMs: number;
}

export interface RestoreOutcome {
  readonly manifest: Manifest;
  /** Where the files that were there before are now; null: there were none. */
  readonly movedTo: string | null;
  /** The configuration as it was then; null: the backup has none. It is never put in force by itself. */
  readonly configFile: string | null;
}

/** Errors: E_BACKUP_PLACE (the folder holds something), E_BACKUP_INVALID, E_STORE_NEWER, and Node's for the disk. */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreOutcome> {
  const { dataDir, force } = options;
  const there = readdirSync(dataDir).filter((name) => !IGNORED.test(name));
  if (there.length > 0 && !force) throw placeTaken(dataDir, there);
  const work = join(dataDir, RESTORE_FOLDER);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { mode: 0o700 });
  let manifest: Manifest;
  try {
    manifest = await unpack(options.pieces, work);
    checkDatabase(join(work, SPOOL_FILE), SPOOL_SCHEMA);
    checkDatabase(join(work, IDENTITY_FILE), IDENTITY_SCHEMA);
    markRestored(work);
  } catch (thrown) {
    rmSync(work, { recursive: true, force: true });
    throw thrown;
  }
  const movedTo = there.length === 0 ? null : moveAside(dataDir, there, options.unixMs);
  const configFile = putInPlace(work, dataDir);
  return { manifest, movedTo, configFile };
}

function placeTaken(dataDir: string, there: readonly string[]): GatewayError {
  const shown = there.slice(0, 3).join(", ");
  return new GatewayError("E_BACKUP_PLACE", `${dataDir} is not empty: ${shown}${there.length > 3 ? ", …" : ""}`, {
    fix: "name an empty folder with --data-dir, or say --force: what is there is then moved aside, not deleted",
  });
}

async function unpack(pieces: AsyncIterable<Uint8Array>, work: string): Promise<Manifest> {
  mkdirSync(join(work, "pki"), { mode: 0o700 });
  let file: number | null = null;
  const end = (): void => {
    if (file === null) return;
    fsyncSync(file);
    closeSync(file);
    file = null;
  };
  try {
    return await readArchive(pieces, {
      begin: (name) => {
        file = openSync(join(work, name), "wx", 0o600);
      },
      content: (piece) => {
        if (file !== null) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
      },
      end,
    });
  } finally {
    end();
  }
}

/** Bytes 0, 60 and 68 of a database's header (sqlite.org/fileformat2.html, section 1.3). */
function checkDatabase(path: string, { applicationId, steps }: Schema): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  const isOurs = header.toString("latin1", 0, 15) === "SQLite format 3" && header.readUInt32BE(68) === applicationId;
  if (!isOurs) throw invalid(`${path} is no database of a gateway`);
  const version = header.readUInt32BE(60);
  if (version <= steps.length) return;
  const why = `the backup has schema ${version}, this version knows up to ${steps.length}`;
  throw new GatewayError("E_STORE_NEWER", why, { fix: "install the version that made the backup, or a newer one" });
}

function moveAside(dataDir: string, names: readonly string[], unixMs: number): string {
  const aside = join(dataDir, `replaced-${unixMs}`);
  mkdirSync(aside, { mode: 0o700 });
  for (const name of names) renameSync(join(dataDir, name), join(aside, name));
  return aside;
}

/** spool.db last: without it, but with devices known, the first start says by itself that nothing is proven. */
function putInPlace(work: string, dataDir: string): string | null {
  const names = ["tidegate.yaml", "pki", "admin.token", IDENTITY_FILE, SPOOL_FILE].filter((name) =>
    existsSync(join(work, name)),
  );
  const targetOf = (name: string): string => join(dataDir, name === "tidegate.yaml" ? "restored-tidegate.yaml" : name);
  giveToOwnerOf(dataDir, [work, join(work, "pki")]);
  syncFolder(join(work, "pki"));
  syncFolder(work);
  for (const name of names) renameSync(join(work, name), targetOf(name));
  syncFolder(dataDir);
  rmSync(work, { recursive: true, force: true });
  syncFolder(dataDir);
  return names.includes("tidegate.yaml") ? targetOf("tidegate.yaml") : null;
}

/** Whoever restores as root must not lock the gateway's user out of its own data. */
function giveToOwnerOf(dataDir: string, folders: readonly string[]): void {
  const { uid, gid } = statSync(dataDir);
  if (process.getuid?.() !== 0 || uid === 0) return;
  for (const folder of folders) {
    chownSync(folder, uid, gid);
    for (const name of readdirSync(folder)) chownSync(join(folder, name), uid, gid);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
