/**
 * What the commands need of the world, passed in: the terminal, files, time, HTTP, other programs. Edge room `cli`.
 *
 *   bin/tidegate.js ─▶ cli.ts (SystemContext) ─▶ program.ts ─▶ verbs/*.ts ─▶ CliContext
 */

import type { Environment } from "../config/env-overrides.js";
import type { ConfigIo } from "../config/locations.js";
import type { Clock } from "../core/clock.js";
import type { Random } from "../core/random.js";
import type { IdentityStore } from "../model/identity.js";
import type { ListSerial, OpenSerial } from "../southbound/serial-open.js";
import type { HttpTransport } from "./http-transport.js";

/** Where text goes. */
export interface OutputStream {
  write(text: string): void;
  readonly isTty: boolean;
  /** Width of the terminal in characters. */
  readonly columns: number;
}

/** Where text comes from; secrets come this way and never in argv. */
export interface InputStream {
  readonly isTty: boolean;
  /** Everything until the end, at most `charsMax` characters. Errors: E_BAD_REQUEST when there is more. */
  readAll(charsMax: number): Promise<string>;
  /** Line by line until the end, however long that is. */
  lines(): AsyncIterable<string>;
  /** One line from the terminal, not shown while it is typed. */
  promptHidden(question: string): Promise<string>;
}

export interface CliContext {
  readonly env: Environment;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly stdin: InputStream;
  readonly files: ConfigIo;
  readonly clock: Clock;
  readonly random: Random;
  readonly http: HttpTransport;
  /** The serial ports of this machine. */
  readonly serial: { readonly open: OpenSerial; readonly list: ListSerial };
  /** Does a process of that id run? */
  isAlive(pid: number): boolean;
  /** Create a file that must not exist. Throws Node's errors (`EEXIST` …). */
  createFile(path: string, text: string): void;
  /** Path of the simulator's program, or null when it is not installed. */
  simulator(): string | null;
  /** Run a Node program on this terminal to its end; resolves with its exit code. */
  runNode(script: string, args: readonly string[], env: Environment): Promise<number>;
  /** Call `fn` when the person wants to stop; returns the way to forget about it. */
  onInterrupt(fn: () => void): () => void;
  /** The wiring of the daemon, loaded when a command needs it. */
  daemon(): Promise<Daemon>;
}

/** What `tidegate run` passes on. */
export interface RunOptions {
  /** The value of `--config`; null when it was not given. */
  readonly configPath: string | null;
  readonly env: Environment;
  /** A page in the browser while the configuration is refused; absent: at a terminal, and not as a service. */
  readonly failurePage?: boolean | undefined;
}

/** What the commands need of `main.ts`, which knows everything; the program's bin connects the two. */
export interface Daemon extends BackupDaemon {
  /** Run the gateway until it is told to stop. Resolves with the exit code: 0, 74, 75 or 78. */
  runGateway(options: RunOptions): Promise<number>;
  /**
   * Open identity.db of a gateway that does not run, and close it behind `fn`. `hashPassword` makes the text that
   * `setPasswordHash` stores. Errors: E_DATA_DIR_LOCKED when a gateway runs, E_DATA_DIR.
   */
  withIdentity<T>(dataDir: string, fn: (identity: IdentityStore, hashPassword: HashPassword) => Promise<T>): Promise<T>;
}

/** How far something long has come, in units of its own. */
export type Progress = (done: number, total: number) => void;

/** Files of backups, and gateways that do not run (assembly/stored-backup.ts). */
export interface BackupDaemon {
  /** Back a gateway up that does not run. Errors: E_DATA_DIR_LOCKED, E_DATA_DIR, E_STORE_FULL, those of `save`. */
  backUpStored(
    gateway: StoredGateway,
    save: (open: () => Promise<BackupPieces>) => Promise<BackupFacts>,
    onCopied: Progress,
  ): Promise<BackupFacts>;
  /** Write a backup to a file that must not exist, proven on its way. Errors: E_BACKUP_PLACE, E_BACKUP_INVALID. */
  saveBackup(path: string, open: () => Promise<BackupPieces>, onBytes: (count: number) => void): Promise<BackupFacts>;
  /** Errors: E_BACKUP_PLACE, E_BACKUP_INVALID, E_STORE_NEWER, E_DATA_DIR_LOCKED. */
  restoreFrom(
    request: { readonly path: string; readonly dataDir: string; readonly force: boolean; readonly unixMs: number },
    onBytes: Progress,
  ): Promise<{ readonly manifest: BackupFacts; readonly movedTo: string | null; readonly configFile: string | null }>;
}

/** A backup on its way, and its length in bytes when that is known. */
export interface BackupPieces {
  readonly bytes: number | null;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** A gateway on the disk. */
export interface StoredGateway {
  readonly dataDir: string;
  readonly configFile: string | null;
  readonly gatewayId: string;
  readonly version: string;
  readonly unixMs: number;
}

/** What a backup says of itself. */
export interface BackupFacts {
  readonly gatewayId: string;
  readonly version: string;
  readonly createdAt: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/** Errors: E_BAD_REQUEST when the password is too short or too long. */
export type HashPassword = (password: string) => Promise<string>;
