/**
 * The file behind a persistent outbox. The SDK's only user of better-sqlite3.
 *
 *   facts(name, value)            device, and where the numbers of both queues stand, last_command
 *   messages(ordinal, queue, …)   queue 0: the epoch in force; 1: waiting while that one drains
 *   commands(id)                  recorded, but without a result yet
 *
 * WAL with FULL: a commit is on the card when it returns. The file is locked for this process: two programs with one
 * outbox would send one number with two meanings. A damaged file is moved aside, never deleted, and the device starts
 * with an empty one.
 */
import { existsSync, renameSync } from "node:fs";
import Database from "better-sqlite3";
import { DeviceError } from "./errors.js";
import type { SavedOutbox, SavedQueue } from "./outbox-types.js";
import type { Entry, Lane, SeqQueue } from "./seq-queue.js";

/** What the file held when it was opened. */
export interface SavedState {
  readonly outbox: SavedOutbox;
  readonly lastCommand: number;
  /** Commands that were recorded, and whose result is unknown [P-19]. */
  readonly interrupted: readonly number[];
}

/** What one save writes. */
export interface Changes {
  readonly current: SeqQueue;
  readonly next: SeqQueue | null;
  readonly insert: ReadonlySet<Entry>;
  readonly update: ReadonlySet<Entry>;
  readonly remove: ReadonlySet<number>;
  readonly finishedCommands: ReadonlySet<number>;
  readonly lastCommand: number;
}

/** What a persistent outbox needs of its file. All of a call is on disk when it returns, or it throws. */
export type OutboxDisk = Pick<OutboxFile, "write" | "recordCommand" | "close">;

/** Opens the file of a device, as `openOutboxFile` does. */
export type OpenOutbox = (path: string, deviceId: string, unixMs: number) => OpenedFile;

/** An outbox file, ready, with what the last process left in it. */
export interface OpenedFile {
  readonly file: OutboxDisk;
  readonly saved: SavedState;
  /** Where a damaged file went; null when it was in order. */
  readonly movedTo: string | null;
}

const SCHEMA_VERSION = 1;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value ANY NOT NULL) WITHOUT ROWID, STRICT;
  CREATE TABLE IF NOT EXISTS messages (
    ordinal INTEGER PRIMARY KEY, queue INTEGER NOT NULL, seq INTEGER NOT NULL, gap INTEGER NOT NULL,
    lane TEXT NOT NULL, samples INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS commands (id INTEGER PRIMARY KEY) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** How long to wait for a lock before saying that the file is in use, in ms. */
const LOCK_WAIT_MS = 200;
/** The write-ahead log is cut back to this after a checkpoint. */
const WAL_BYTES_KEPT = 1024 * 1024;
const U32_MAX = 0xffff_ffff;

/** A row that no version of this file writes: the file is damaged. */
class DamagedError extends Error {}

/**
 * Open or make the file of a device.
 *
 * @param path the file; its folder exists and is writable
 * @param unixMs now; names a damaged file
 * @throws DeviceError OUTBOX_IN_USE, OUTBOX_FOREIGN, OUTBOX_WRITE
 */
export function openOutboxFile(path: string, deviceId: string, unixMs: number): OpenedFile {
  try {
    return { ...openOnce(path, deviceId), movedTo: null };
  } catch (error) {
    if (!isDamage(error)) throw asDeviceError(error, path);
  }
  const movedTo = moveAside(path, unixMs);
  try {
    return { ...openOnce(path, deviceId), movedTo };
  } catch (error) {
    throw asDeviceError(error, path);
  }
}

/** The outbox as rows of one SQLite file; errors of the disk are thrown. */
export class OutboxFile {
  readonly #db: Database.Database;

  constructor(db: Database.Database) {
    this.#db = db;
  }

  /** Write one set of changes; all of it or nothing. */
  write(changes: Changes): void {
    const { current, next } = changes;
    const waiting = new Set(next?.entries() ?? []);
    const queueOf = (entry: Entry): number => (waiting.has(entry) ? 1 : 0);
    this.#transaction(() => {
      const remove = this.#db.prepare("DELETE FROM messages WHERE ordinal = ?");
      for (const ordinal of changes.remove) remove.run(ordinal);
      const insert = this.#db.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)");
      for (const entry of changes.insert) {
        const { ordinal, seq, gap, lane, samples, body } = entry;
        insert.run(ordinal, queueOf(entry), seq, gap, lane, samples, body);
      }
      const update = this.#db.prepare("UPDATE messages SET queue = ?, seq = ?, gap = ? WHERE ordinal = ?");
      for (const entry of changes.update) update.run(queueOf(entry), entry.seq, entry.gap, entry.ordinal);
      const finish = this.#db.prepare("DELETE FROM commands WHERE id = ?");
      for (const id of changes.finishedCommands) finish.run(id);
      this.#putFacts({
        epoch: current.epoch,
        next_seq: current.nextSeq,
        tail_gap: current.tailGap,
        acked_seq: current.ackedSeq,
        waiting_next_seq: next?.nextSeq ?? 1,
        waiting_tail_gap: next?.tailGap ?? 0,
        last_command: changes.lastCommand,
      });
    });
  }

  /** A command is about to act. */
  recordCommand(id: number, lastCommand: number): void {
    this.#transaction(() => {
      this.#db.prepare("INSERT OR IGNORE INTO commands VALUES (?)").run(id);
      this.#putFacts({ last_command: lastCommand });
    });
  }

  close(): void {
    this.#db.close();
  }

  #putFacts(facts: Readonly<Record<string, number>>): void {
    const put = this.#db.prepare("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    for (const [name, value] of Object.entries(facts)) put.run(name, value);
  }

  #transaction(work: () => void): void {
    this.#db.transaction(work).immediate();
  }
}

function openOnce(path: string, deviceId: string): { file: OutboxFile; saved: SavedState } {
  const db = new Database(path, { timeout: LOCK_WAIT_MS });
  try {
    db.pragma("locking_mode = EXCLUSIVE");
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.pragma(`journal_size_limit = ${WAL_BYTES_KEPT}`);
    const version = db.pragma("user_version", { simple: true });
    if (typeof version === "number" && version > SCHEMA_VERSION) throw newer(path);
    if (db.pragma("quick_check", { simple: true }) !== "ok") throw new DamagedError("quick_check");
    db.transaction(() => db.exec(SCHEMA)).immediate();
    claim(db, path, deviceId);
    return { file: new OutboxFile(db), saved: load(db) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** The file belongs to the first device that opens it: numbers of another would collide. */
function claim(db: Database.Database, path: string, deviceId: string): void {
  const owner = db.prepare("SELECT value FROM facts WHERE name = 'device'").pluck().get();
  if (owner === undefined) db.prepare("INSERT INTO facts VALUES ('device', ?)").run(deviceId);
  else if (owner !== deviceId) {
    const todo = "Give every device a file of its own, or move this one away.";
    throw new DeviceError("OUTBOX_FOREIGN", `${path} was written by device "${String(owner)}"`, todo);
  }
}

function newer(path: string): DeviceError {
  const todo = "Install the version that wrote it, let it drain, then go back.";
  return new DeviceError("OUTBOX_FOREIGN", `${path} was written by a newer version of the SDK`, todo);
}

function load(db: Database.Database): SavedState {
  const fact = (name: string, otherwise: number): number => {
    const value = db.prepare("SELECT value FROM facts WHERE name = ?").pluck().get(name);
    return value === undefined ? otherwise : integer(value);
  };
  const current: SavedQueue = {
    epoch: fact("epoch", 0),
    nextSeq: fact("next_seq", 1),
    tailGap: fact("tail_gap", 0),
    ackedSeq: fact("acked_seq", 0),
    entries: loadEntries(db, 0),
  };
  const next: SavedQueue = {
    epoch: 0,
    nextSeq: fact("waiting_next_seq", 1),
    tailGap: fact("waiting_tail_gap", 0),
    ackedSeq: 0,
    entries: loadEntries(db, 1),
  };
  const interrupted = db.prepare("SELECT id FROM commands ORDER BY id").pluck().all().map(integer);
  return { outbox: { current, next }, lastCommand: fact("last_command", 0), interrupted };
}

function loadEntries(db: Database.Database, queue: number): Entry[] {
  const rows = db
    .prepare("SELECT ordinal, seq, gap, lane, samples, body FROM messages WHERE queue = ? ORDER BY seq")
    .raw()
    .all(queue);
  return rows.map((row) => {
    const [ordinal, seq, gap, lane, samples, body] = Array.isArray(row) ? row : [];
    if (!isLane(lane) || !(body instanceof Uint8Array)) throw new DamagedError("a message row is not one");
    return { ordinal: integer(ordinal), seq: integer(seq), gap: integer(gap), lane, samples: integer(samples), body };
  });
}

function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= U32_MAX) return value;
  throw new DamagedError(`${String(value)} is no number of this file`);
}

function isLane(value: unknown): value is Lane {
  return value === "telemetry" || value === "log" || value === "command" || value === "catalog";
}

function sqliteCode(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : "";
}

function isDamage(error: unknown): boolean {
  return error instanceof DamagedError || /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error));
}

function asDeviceError(error: unknown, path: string): DeviceError {
  if (error instanceof DeviceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(sqliteCode(error))) {
    return new DeviceError("OUTBOX_IN_USE", path, "Stop the other process, or give this one a file of its own.", error);
  }
  const todo = "Check that the folder exists, is writable and has space.";
  return new DeviceError("OUTBOX_WRITE", `${path}: ${why}`, todo, error);
}

/** Out of the way, with what belongs to it; kept for whoever wants to look. */
function moveAside(path: string, unixMs: number): string {
  const movedTo = `${path}.corrupt-${unixMs}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(path + suffix)) renameSync(path + suffix, movedTo + suffix);
  }
  return movedTo;
}
