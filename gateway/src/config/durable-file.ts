/**
 * Files that are whole or not there, whatever happens to the power. Edge room `config`.
 *
 *   write temp ─▶ fsync temp ─▶ rename over the name ─▶ fsync the folder
 *
 * One process at a time writes below a data folder (it is locked), so temporary names need not be unique.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "./locations.js";

/** Rights of a secret: its owner alone. */
export const SECRET_MODE = 0o600;

/** Rights of a folder of secrets. */
export const SECRET_DIR_MODE = 0o700;

/** Write a file that is either the old one or wholly the new one. Throws Node's errors. */
export function writeFileDurably(path: string, content: string | Uint8Array, mode = SECRET_MODE): void {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  writeSynced(temporary, content, mode);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/**
 * Make a folder that is either absent or holds every file. A half-made one of an earlier crash is removed first.
 * Throws Node's errors, `ENOTEMPTY` or `EEXIST` when the folder is there already.
 */
export function makeFolderDurably(path: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { mode: SECRET_DIR_MODE });
  for (const [name, content] of files) writeSynced(join(temporary, name), content, SECRET_MODE);
  syncFolder(temporary);
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

/**
 * Make a folder and those above it. Node's own recursive mkdir never returns where the kernel answers ENOENT to mkdir
 * itself, as below /proc. Throws Node's errors; a folder that is there is fine.
 */
export function makeFolders(path: string, mode: number): void {
  if (existsSync(path)) return;
  const above = dirname(path);
  if (above !== path) makeFolders(above, mode);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  }
}

/** The bytes of a file, null when there is none. Throws Node's other errors. */
export function readIfThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

function writeSynced(path: string, content: string | Uint8Array, mode: number): void {
  // An old temporary file may have other rights: the mode counts at creation only.
  rmSync(path, { force: true });
  const file = openSync(path, "wx", mode);
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
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
