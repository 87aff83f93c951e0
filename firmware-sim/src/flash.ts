/**
 * The flash of a virtual device: its outbox file, and what a power cut leaves of it.
 *
 *   keep()      copies the file as it is now: committed transactions, nothing of what the SDK still holds in RAM
 *   (the SDK closes its own file, and by that saves more than a power cut would have let it)
 *   restore()   puts the copy in its place
 */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** SQLite's files: the database and its write-ahead log. The third, -shm, is made anew. */
const PARTS = ["", "-wal"];

/** The file of one device. Its methods throw Node's errors. */
export class Flash {
  readonly path: string;

  /** @param dir made when it is not there */
  constructor(dir: string, device: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.path = join(dir, `${device}.outbox`);
  }

  /** Copy the file as a power cut would leave it. Between two transactions of its owner, so in one synchronous call. */
  keep(): void {
    for (const part of PARTS) {
      const copy = `${this.path}${part}.kept`;
      rmSync(copy, { force: true });
      if (existsSync(this.path + part)) copyFileSync(this.path + part, copy);
    }
  }

  /** Put the copy in place of the file. The owner has closed it. */
  restore(): void {
    rmSync(`${this.path}-shm`, { force: true });
    for (const part of PARTS) {
      const copy = `${this.path}${part}.kept`;
      rmSync(this.path + part, { force: true });
      if (existsSync(copy)) renameSync(copy, this.path + part);
    }
  }
}
