/**
 * Copies of databases in use, made by SQLite itself: a plain copy of the file would miss what is still in its WAL.
 *
 *   source (in use) ──pages, a few per turn──▶ copy ──fdatasync every 4 MiB──▶ disk
 *                 └─ between two turns the worker commits as ever; what it writes goes into the copy, too
 *
 * spool.db first: a device added in between is then known by identity.db, and a restored store says of it as of all
 * others that nothing is proven.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { GatewayError } from "../core/errors.js";
import { IDENTITY_FILE, SPOOL_FILE } from "./open-stores.js";
import { storeError } from "./sqlite-error.js";

/** Pages of 4 KiB in one turn of the worker: a few milliseconds. */
const PAGES_PER_TURN = 256;

/** The copy is put on the disk in pieces, so that no turn waits for more than these: 0.4 s on a slow card. */
const SYNC_EVERY_TURNS = 4;

/** Room that stays free beside the copies. */
const SPARE_BYTES = 64 * 1024 * 1024;

/** Told after every turn. */
export type CopyProgress = (donePages: number, totalPages: number) => void;

/**
 * Copy both databases of an open store into a folder that is there.
 * Errors: E_STORE_FULL (no room for copies), E_STORE_IO, E_STORE_BUSY. What was begun is removed then.
 */
export async function copyStores(
  stores: { readonly spool: Database.Database; readonly identity: Database.Database },
  folder: string,
  onProgress: CopyProgress = () => {},
): Promise<void> {
  await copyDatabase(stores.spool, join(folder, SPOOL_FILE), onProgress);
  await copyDatabase(stores.identity, join(folder, IDENTITY_FILE), onProgress);
}

/** The same for a gateway that does not run: the data folder is locked by the caller. Errors: as above, E_DATA_DIR. */
export async function copyStoredStores(dataDir: string, folder: string, onProgress?: CopyProgress): Promise<void> {
  const spool = openExisting(join(dataDir, SPOOL_FILE));
  try {
    const identity = openExisting(join(dataDir, IDENTITY_FILE));
    try {
      await copyStores({ spool, identity }, folder, onProgress);
    } finally {
      identity.close();
    }
  } finally {
    spool.close();
  }
}

/** Refuse when the file system cannot take copies beside what it has. Errors: E_STORE_FULL. */
export function checkRoom(dataDir: string, diskFreeBytes: number): void {
  const files = [SPOOL_FILE, IDENTITY_FILE].flatMap((name) => [name, `${name}-wal`]);
  const neededBytes = files.reduce((sum, name) => sum + sizeOf(join(dataDir, name)), SPARE_BYTES);
  if (neededBytes <= diskFreeBytes) return;
  const why = `copies of the databases need ${neededBytes} bytes in ${dataDir}, and ${diskFreeBytes} are free`;
  throw new GatewayError("E_STORE_FULL", why, { fix: "free some space, or let sinks take what waits, then try again" });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function openExisting(path: string): Database.Database {
  try {
    return new Database(path, { fileMustExist: true });
  } catch (thrown) {
    throw new GatewayError("E_DATA_DIR", `${path} cannot be opened`, { cause: thrown });
  }
}

async function copyDatabase(db: Database.Database, to: string, onProgress: CopyProgress): Promise<void> {
  rmSync(to, { force: true });
  // Made here, so that it is ours alone from its first byte on.
  const file = openSync(to, "wx", 0o600);
  let turns = 0;
  try {
    await db.backup(to, {
      progress: ({ totalPages, remainingPages }) => {
        turns += 1;
        if (turns % SYNC_EVERY_TURNS === 0) fdatasyncSync(file);
        onProgress(totalPages - remainingPages, totalPages);
        return PAGES_PER_TURN;
      },
    });
    fdatasyncSync(file);
  } catch (thrown) {
    rmSync(to, { force: true });
    throw storeError(thrown, to);
  } finally {
    closeSync(file);
  }
}
