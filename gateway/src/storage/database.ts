/**
 * Opens a database so that a commit means "on disk": WAL, synchronous=FULL set after it and read back, damage found
 * and moved aside instead of being carried on.
 *
 *   open ─▶ pragmas ─▶ migrate ─▶ unclean? quick check ─▶ ready
 *     │        │          │              │
 *     └────────┴── damaged ──────────────┴─▶ rename to .corrupt-<unix ms>, begin again with a fresh file
 *
 * better-sqlite3 is compiled with WAL at NORMAL, and the pragma answers FULL until the first access; so it is set
 * after the first access, and a test counts the fsyncs.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import Database from "better-sqlite3";
import { GatewayError } from "../core/errors.js";
import { migrate } from "./migrations.js";
import type { Schema } from "./schema.js";
import { failureOf, storeError } from "./sqlite-error.js";

/** Another process (a backup, a person with the sqlite3 shell) may hold the file for this long. */
const BUSY_TIMEOUT_MS = 2_000;

/** The WAL is cut back to this after a checkpoint: caps the disk beside the file itself. */
export const WAL_BYTES_MAX = 64 * 1024 * 1024;

/** What the WAL holds before a checkpoint. The reserve (space.ts) must hold what one adds to the file. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

/** SQLite's own choice: the fastest for large commits. */
const PAGE_BYTES = 4_096;

/** What was found at opening, for the log and the status. */
export interface OpenedDatabase {
  readonly db: Database.Database;
  /** The file did not exist, was empty, or was moved aside. */
  readonly isNew: boolean;
  /** The last run did not close it. */
  readonly wasUnclean: boolean;
  /** Where the damaged file went; null when it was sound. */
  readonly quarantinedTo: string | null;
}

export interface OpenOptions {
  readonly schema: Schema;
  /** For the name of a file that is moved aside. */
  readonly unixMs: number;
  /**
   * `full` unless told. `normal` for what can be made again: a power cut may take its last transactions, whole.
   * `off` only in simulations, where the process is the whole world.
   */
  readonly synchronous?: Synchronous;
  /** Page size of a file that is made now: smaller pages make small commits write less. */
  readonly pageBytes?: number;
}

/** How SQLite waits for the disk, and the number by which it answers. */
const SYNCHRONOUS = { off: 0, normal: 1, full: 2 } as const;
export type Synchronous = keyof typeof SYNCHRONOUS;

/**
 * Errors: E_DATA_DIR (cannot be opened or written), E_STORE_NEWER, E_STORE_CORRUPT (damaged and cannot be moved
 * aside), E_STORE_IO.
 */
export function openDatabase(path: string, options: OpenOptions): OpenedDatabase {
  try {
    return openOnce(path, options);
  } catch (thrown) {
    if (failureOf(thrown) !== "corrupt") throw openingError(thrown, path);
  }
  const quarantinedTo = quarantineFile(path, options.unixMs);
  try {
    return { ...openOnce(path, options), quarantinedTo };
  } catch (thrown) {
    throw openingError(thrown, path);
  }
}

/** Leave a mark beside the file: the next start checks all of it, however long that takes. */
export function suspect(path: string): void {
  writeFileSync(suspectPath(path), "");
}

/** Ends the run in order: everything in the file, the WAL gone, marked as clean (unless the disk is full). */
export function closeDatabase(db: Database.Database): void {
  try {
    db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('clean', '1')").run();
    db.pragma("wal_checkpoint(TRUNCATE)");
  } catch (thrown) {
    if (failureOf(thrown) !== "full") throw thrown;
  } finally {
    db.close();
  }
}

function openOnce(path: string, options: OpenOptions): OpenedDatabase {
  const db = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    // Counts only before the first page is written.
    db.pragma(`page_size = ${options.pageBytes ?? PAGE_BYTES}`);
    setPragmas(db, path, options.synchronous ?? "full");
    const isNew = migrate(db, path, options.schema) === 0;
    const wasUnclean = !isNew && !takeCleanMark(db);
    if (wasUnclean || existsSync(suspectPath(path))) check(db, path, options.schema);
    syncFolder(path);
    return { db, isNew, wasUnclean, quarantinedTo: null };
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function setPragmas(db: Database.Database, path: string, synchronous: Synchronous): void {
  db.pragma("journal_mode = WAL");
  db.prepare("SELECT count(*) FROM sqlite_schema").get();
  db.pragma(`synchronous = ${synchronous}`);
  const level = db.pragma("synchronous", { simple: true });
  if (level !== SYNCHRONOUS[synchronous]) {
    throw new GatewayError("E_STORE_IO", `${path}: synchronous is ${String(level)} although ${synchronous} was set`);
  }
  const pageBytes = Number(db.pragma("page_size", { simple: true }));
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_BYTES / pageBytes}`);
  db.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
  db.pragma("foreign_keys = ON");
  db.pragma("temp_store = MEMORY");
  db.pragma("cache_size = -16384");
}

/** Was the last run closed in order? From now on, until it is closed again, the answer is no. */
function takeCleanMark(db: Database.Database): boolean {
  return db.prepare("DELETE FROM meta WHERE key = 'clean'").run().changes > 0;
}

/**
 * After an unclean end: the structure of every table but the one that grows with the backlog, whose rows carry their
 * own CRC. All of it when the last run met damage.
 */
function check(db: Database.Database, path: string, schema: Schema): void {
  const isSuspect = existsSync(suspectPath(path));
  const checks = isSuspect ? ["quick_check(1)"] : schema.checkedTables.map((table) => `quick_check(${table})`);
  for (const pragma of checks) {
    const found: unknown = db.pragma(pragma, { simple: true });
    if (found !== "ok") throw new Database.SqliteError(`quick check: ${String(found)}`, "SQLITE_CORRUPT");
  }
  if (isSuspect) rmSync(suspectPath(path), { force: true });
}

/** Move the damaged file aside, with its WAL; never delete it. */
function quarantineFile(path: string, unixMs: number): string {
  const target = `${path}.corrupt-${unixMs}`;
  try {
    renameSync(path, target);
    for (const suffix of ["-wal", "-shm"]) {
      if (existsSync(path + suffix)) renameSync(path + suffix, target + suffix);
    }
    rmSync(suspectPath(path), { force: true });
  } catch (thrown) {
    const why = `${path} is damaged and cannot be moved aside`;
    throw new GatewayError("E_STORE_CORRUPT", why, { cause: thrown });
  }
  return target;
}

/** The file's name must survive a power cut too. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function openingError(thrown: unknown, path: string): GatewayError {
  const code = thrown instanceof Database.SqliteError ? thrown.code : "";
  if (code.startsWith("SQLITE_CANTOPEN") || code.startsWith("SQLITE_READONLY") || code === "SQLITE_PERM") {
    return new GatewayError("E_DATA_DIR", `${path} cannot be opened for writing`, { cause: thrown });
  }
  // better-sqlite3 answers a folder that is not there with a plain TypeError.
  if (thrown instanceof TypeError) {
    return new GatewayError("E_DATA_DIR", `${dirname(path)} does not exist`, { cause: thrown });
  }
  return storeError(thrown, basename(path));
}

function suspectPath(path: string): string {
  return `${path}.suspect`;
}
