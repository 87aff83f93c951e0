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

/** Enough for a WAL of several deleting transactions. */
export const RESERVE_BYTES = 8 * 1024 * 1024;

/** After a full disk, intake goes on when this much can be written again. */
const RESUME_BYTES = 16 * 1024 * 1024;

/** After a full quota, intake goes on when it is this far below. */
const RESUME_QUOTA_SHARE = 0.01;

export class Space {
  readonly quotaBytes: number;
  readonly #db: Database;
  readonly #path: string;
  readonly #pageBytes: number;
  #reserveBytes = 0;

  /** @param path of the database file. */
  constructor(db: Database, path: string, quotaBytes: number) {
    this.#db = db;
    this.#path = path;
    this.quotaBytes = quotaBytes;
    this.#pageBytes = this.#number("page_size");
    // A second line behind the quota that is checked before each batch: whatever happens, the file ends here.
    const pagesMax = Math.ceil((quotaBytes + WAL_BYTES_MAX) / this.#pageBytes);
    db.pragma(`max_page_count = ${Math.max(pagesMax, this.#number("page_count"))}`);
    if (existsSync(this.#reservePath)) this.#reserveBytes = statSync(this.#reservePath).size;
  }

  /** Bytes in pages that hold something. */
  usedBytes(): number {
    return (this.#number("page_count") - this.#number("freelist_count")) * this.#pageBytes;
  }

  /** Would that much more go over the quota? */
  isOver(moreBytes: number): boolean {
    return this.usedBytes() + moreBytes > this.quotaBytes;
  }

  /** After a refusal: is there room again, with some to spare? */
  hasRoomAgain(): boolean {
    if (this.isOver(this.quotaBytes * RESUME_QUOTA_SHARE)) return false;
    const freePagesBytes = this.#number("freelist_count") * this.#pageBytes;
    return this.diskFreeBytes() + freePagesBytes >= RESUME_BYTES;
  }

  /** What the disk has left for an ordinary user. */
  diskFreeBytes(): number {
    const disk = statfsSync(dirname(this.#path));
    return disk.bavail * disk.bsize;
  }

  /** Cut the WAL back when readers kept a checkpoint from doing so. */
  capWal(): void {
    const wal = `${this.#path}-wal`;
    if (existsSync(wal) && statSync(wal).size > WAL_BYTES_MAX) this.#db.pragma("wal_checkpoint(TRUNCATE)");
  }

  /** Give the reserve up. @returns false when there was none left. */
  releaseReserve(): boolean {
    if (this.#reserveBytes === 0) return false;
    rmSync(this.#reservePath, { force: true });
    this.#reserveBytes = 0;
    return true;
  }

  /** Put the reserve back when the disk has plenty; without it nothing else fails. */
  refillReserve(): void {
    if (this.#reserveBytes >= RESERVE_BYTES || this.diskFreeBytes() < RESERVE_BYTES + RESUME_BYTES) return;
    const file = openSync(this.#reservePath, "w", 0o600);
    try {
      const zeros = new Uint8Array(1024 * 1024);
      for (let written = 0; written < RESERVE_BYTES; written += zeros.length) writeSync(file, zeros);
      fsyncSync(file);
      this.#reserveBytes = RESERVE_BYTES;
    } finally {
      closeSync(file);
    }
  }

  get #reservePath(): string {
    return `${this.#path}.reserve`;
  }

  #number(pragma: string): number {
    return Number(this.#db.pragma(pragma, { simple: true }));
  }
}
