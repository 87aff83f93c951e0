/**
 * Steers the preloaded library of `shim/faultline.c`: kills, errors and delays at the k-th fsync, write or send of one
 * process, and a wall clock that is wrong. Its head draws the file both sides share.
 *
 *   we ──numbers──▶ [shared file] ◀──mmap── the process under test
 */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../shim/faultline.c", import.meta.url));

const WORD_BYTES = 8;
const WORDS = 11;
const OPERATIONS = ["fsync", "write", "send"] as const;
const ACTION_WORD = 3;
const OFFSET_WORD = 8;
const LIMITED_WORD = 9;
const FREE_WORD = 10;
const Action = { none: 0, kill: 1, fail: 2, wait: 3 } as const;

/** What is counted: fsyncs and writes of the chosen files, and sends on the network. */
export type Operation = (typeof OPERATIONS)[number];

export const OPERATION_NAMES: readonly Operation[] = OPERATIONS;

/** Calls so far, over all starts of the process. */
export type Counts = Readonly<Record<Operation, number>>;

/** One process's faults; survives the process, so that it can be started again under the same ones. */
export class Faultline {
  readonly #fd: number;
  /** Environment that puts the process under these faults. */
  readonly env: Readonly<Record<string, string>>;

  /**
   * Compiles the library into `dir`, which must exist. Throws what the compiler says.
   *
   * @param path only files whose path contains this count as disk, e.g. `spool.db`.
   */
  constructor(dir: string, path: string, compiler = "cc") {
    const library = join(dir, "faultline.so");
    execFileSync(compiler, ["-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], { stdio: "pipe" });
    const file = join(dir, "faultline.bin");
    writeFileSync(file, new Uint8Array(WORDS * WORD_BYTES));
    this.#fd = openSync(file, "r+");
    this.env = { LD_PRELOAD: library, FAULTLINE_FILE: file, FAULTLINE_PATH: path };
  }

  counts(): Counts {
    return { fsync: this.#read(0), write: this.#read(1), send: this.#read(2) };
  }

  /** SIGKILL at the call that is `ahead` calls from now, 1 or more. */
  killAt(operation: Operation, ahead: number): void {
    const number = this.counts()[operation] + ahead;
    this.#steer(Action.kill, operation, { first: number, last: number, value: 0 });
  }

  /** From now on these calls fail. @param errno e.g. `os.constants.errno.EIO` */
  fail(operation: Operation, errno: number): void {
    this.#steer(Action.fail, operation, { first: 0, last: Number.MAX_SAFE_INTEGER, value: errno });
  }

  /** From now on each of these calls waits first. */
  slow(operation: Operation, delayMs: number): void {
    this.#steer(Action.wait, operation, { first: 0, last: Number.MAX_SAFE_INTEGER, value: delayMs });
  }

  /** No fault from now on; the clock stays as it was set. */
  heal(): void {
    this.#write(ACTION_WORD, Action.none);
  }

  /** The process's wall clock is wrong by so much from now on. */
  setClockOffset(offsetMs: number): void {
    this.#write(OFFSET_WORD, offsetMs);
  }

  /**
   * From now on the disk has so many bytes free: files that grow take of them, and get ENOSPC when there are none; what
   * shrinks or goes gives back.
   */
  limitDisk(freeBytes: number): void {
    this.#write(FREE_WORD, freeBytes);
    this.#write(LIMITED_WORD, 1);
  }

  /** Somebody else removes files on the limited disk. */
  freeDisk(bytes: number): void {
    this.#write(FREE_WORD, this.#read(FREE_WORD) + bytes);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #steer(action: number, operation: Operation, which: { first: number; last: number; value: number }): void {
    this.heal(); // a call in between must not meet half of the order
    this.#write(ACTION_WORD + 1, OPERATIONS.indexOf(operation));
    this.#write(ACTION_WORD + 2, which.first);
    this.#write(ACTION_WORD + 3, which.last);
    this.#write(ACTION_WORD + 4, which.value);
    this.#write(ACTION_WORD, action);
  }

  #read(word: number): number {
    const bytes = Buffer.alloc(WORD_BYTES);
    readSync(this.#fd, bytes, 0, WORD_BYTES, word * WORD_BYTES);
    return Number(bytes.readBigInt64LE());
  }

  #write(word: number, value: number): void {
    const bytes = Buffer.alloc(WORD_BYTES);
    bytes.writeBigInt64LE(BigInt(Math.trunc(value)));
    writeSync(this.#fd, bytes, 0, WORD_BYTES, word * WORD_BYTES);
  }
}
