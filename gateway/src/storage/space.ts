/**
 * How much room the spool has: its quota on used pages, the disk below it, and a reserve that is given up when the
 * disk is full, so that sinks can still drain it and records be deleted (a deletion writes before it frees).
 *
 *   quota   ├──── used pages ────┤ free pages ┤ may still grow ┤          reserve: a file of zeros beside it
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Database } from "better-sqlite3";
import { WAL_BYTES_MAX } from "./database.js";
import { failureOf } from "./sqlite-error.js";

/** Twice what folding a full WAL adds to the file, which then gives the WAL's own room back. */
export const RESERVE_BYTES = 8 * 1024 * 1024;

/** What must stay free on the disk for intake: room for a WAL, and more when the file itself has to grow. */
const DISK_LOW_BYTES = 4 * 1024 * 1024;
const DISK_LOW_GROWING_BYTES = 12 * 1024 * 1024;

/** Room that must be there before intake goes on: so that it does not stop again at once. */
const RESUME_BYTES = 8 * 1024 * 1024;

/** After a full quota, intake goes on when it is this far below. */
const RESUME_QUOTA_SHARE = 0.01;

/** Bytes left for an ordinary user on the disk of a file. */
export type DiskFree = (path: string) => number;

function diskFreeAt(path: string): number {
  const disk = statfsSync(dirname(path));
  return disk.bavail * disk.bsize;
}

/** Where the reserve of a database stands. */
export function reservePath(path: string): string {
  return `${path}.reserve`;
}

/** Room for one database file; the reserve beside it belongs to this object. */
export class Space {
  readonly quotaBytes: number;
  readonly #db: Database;
  readonly #path: string;
  readonly #diskFree: DiskFree;
  readonly #pageBytes: number;

  /**
   * @param path of the database file.
   * @param diskFree bytes left where that file is; asked of the file system unless a test says so.
   */
  constructor(db: Database, path: string, quotaBytes: number, diskFree: DiskFree = diskFreeAt) {
    this.#db = db;
    this.#path = path;
    this.#diskFree = diskFree;
    this.quotaBytes = quotaBytes;
    this.#pageBytes = this.#number("page_size");
    // A second line behind the quota that is checked before each batch: whatever happens, the file ends here.
    const pagesMax = Math.ceil((quotaBytes + WAL_BYTES_MAX) / this.#pageBytes);
    db.pragma(`max_page_count = ${Math.max(pagesMax, this.#number("page_count"))}`);
  }

  /** Bytes in pages that hold something. */
  usedBytes(): number {
    return (this.#number("page_count") - this.#number("freelist_count")) * this.#pageBytes;
  }

  /** Would that many more bytes of records go over the quota, or make the file grow near the end of the disk? */
  lacksPages(moreBytes: number): boolean {
    if (this.usedBytes() + moreBytes > this.quotaBytes) return true;
    const growth = moreBytes - this.#freePagesBytes();
    return growth > 0 && this.diskFreeBytes() - growth < DISK_LOW_GROWING_BYTES;
  }

  /** Is there not even room to write? Deleting records does not help: somebody else has filled the disk. */
  isDiskExhausted(): boolean {
    return this.diskFreeBytes() < DISK_LOW_BYTES;
  }

  /** After a refusal: is there room again, with some to spare? Folds the WAL in first, whose room counts. */
  hasRoomAgain(): boolean {
    this.#foldWal();
    if (this.usedBytes() > this.quotaBytes * (1 - RESUME_QUOTA_SHARE)) return false;
    // The reserve is taken out first: without it the next full disk could not be drained.
    const free = this.diskFreeBytes() - (RESERVE_BYTES - this.#reserveBytes);
    const growth = RESUME_BYTES - this.#freePagesBytes();
    return growth > 0 ? free - growth >= DISK_LOW_GROWING_BYTES : free >= DISK_LOW_BYTES;
  }

  /** What the disk has left for an ordinary user. */
  diskFreeBytes(): number {
    return this.#diskFree(this.#path);
  }

  /** Cut the WAL back when readers kept a checkpoint from doing so. */
  capWal(): void {
    const wal = `${this.#path}-wal`;
    if (existsSync(wal) && statSync(wal).size > WAL_BYTES_MAX) this.#foldWal();
  }

  /**
   * The disk is full: give the reserve up and fold the WAL into the file, so that its room can be written again.
   * Call it outside a transaction.
   */
  scrapeTogether(): void {
    rmSync(this.#reservePath, { force: true });
    this.#foldWal();
  }

  /**
   * Put the reserve back when the disk has room for it and for a WAL; without it nothing else fails. The free space of
   * a disk is a promise that a quota, or somebody quicker, can break: then there is no reserve until the next time.
   */
  refillReserve(): void {
    if (this.#reserveBytes >= RESERVE_BYTES || this.diskFreeBytes() < RESERVE_BYTES + DISK_LOW_BYTES) return;
    try {
      writeZeros(this.#reservePath);
    } catch (thrown) {
      if (!isOutOfSpace(thrown)) throw thrown;
      rmSync(this.#reservePath, { force: true });
    }
  }

  /** Looked at each time: the start of a gateway may have given it up for a lock file. */
  get #reserveBytes(): number {
    return existsSync(this.#reservePath) ? statSync(this.#reservePath).size : 0;
  }

  #freePagesBytes(): number {
    return this.#number("freelist_count") * this.#pageBytes;
  }

  #foldWal(): void {
    try {
      this.#db.pragma("wal_checkpoint(TRUNCATE)");
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure !== "full" && failure !== "busy") throw thrown;
    }
  }

  get #reservePath(): string {
    return reservePath(this.#path);
  }

  #number(pragma: string): number {
    return Number(this.#db.pragma(pragma, { simple: true }));
  }
}

function writeZeros(path: string): void {
  const file = openSync(path, "w", 0o600);
  try {
    const zeros = new Uint8Array(1024 * 1024);
    for (let written = 0; written < RESERVE_BYTES; written += zeros.length) writeSync(file, zeros);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function isOutOfSpace(thrown: unknown): boolean {
  const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
  return code === "ENOSPC" || code === "EDQUOT";
}
