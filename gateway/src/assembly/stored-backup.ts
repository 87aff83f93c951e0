/**
 * Backups without a running gateway, and the files they are kept in: what `tidegate backup` needs of the wiring.
 *
 *   FILE ◀─ link ─ FILE.partial (0600) ◀─ proven while it is written ◀─ pieces ◀─┬─ a running gateway's API
 *                                                                               └─ a locked data folder
 */
import { closeSync, createReadStream, existsSync, fsyncSync, linkSync, openSync, rmSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { errnoOf } from "../config/locations.js";
import { GatewayError } from "../core/errors.js";
import { type BackupStream, type Manifest, readArchive } from "../storage/backup-archive.js";
import { copyStoredStores } from "../storage/backup-copy.js";
import { makeBackup } from "../storage/backup-files.js";
import { type RestoreOutcome, restoreBackup } from "../storage/backup-restore.js";
import { DataDir } from "./data-dir.js";

/** How far something long has come, in units of its own. */
export type Progress = (done: number, total: number) => void;

export interface StoredGateway {
  readonly dataDir: string;
  readonly configFile: string | null;
  readonly gatewayId: string;
  readonly version: string;
  readonly unixMs: number;
}

/**
 * Back a gateway up that does not run; its data folder is locked meanwhile.
 * @param onCopied counts pages of the databases that were copied
 * Errors: E_DATA_DIR_LOCKED (it runs), E_DATA_DIR, E_STORE_FULL, and those of `saveBackup`.
 */
export async function backUpStored(
  gateway: StoredGateway,
  save: (open: () => Promise<BackupStream>) => Promise<Manifest>,
  onCopied: Progress,
): Promise<Manifest> {
  const { dataDir, configFile, gatewayId, version, unixMs } = gateway;
  await stat(dataDir).catch((cause: unknown) => {
    throw new GatewayError("E_DATA_DIR", `${dataDir} is not there`, { fix: "name it with --data-dir", cause });
  });
  const folder = DataDir.open(dataDir);
  try {
    const copyStores = (to: string): Promise<void> => copyStoredStores(dataDir, to, onCopied);
    const origin = { gatewayId, version, createdUnixMs: unixMs };
    return await save(() => makeBackup({ dataDir, configFile, origin, copyStores }));
  } finally {
    folder.release();
  }
}

/**
 * Write a backup to a file that must not exist; it gets its name when it is whole and proven.
 * @param open begins the backup, once the place for it is known to be free
 * Errors: E_BACKUP_PLACE, E_BACKUP_INVALID (it broke off on its way), E_DATA_DIR (cannot be written).
 */
export async function saveBackup(
  path: string,
  open: () => Promise<{ readonly pieces: AsyncIterable<Uint8Array> }>,
  onBytes: (count: number) => void,
): Promise<Manifest> {
  const partial = `${path}.partial`;
  const file = create(partial);
  try {
    if (existsSync(path)) throw new GatewayError("E_BACKUP_PLACE", `${path} is there already`);
    const { pieces } = await open();
    const manifest = await readArchive(
      (async function* () {
        let written = 0;
        for await (const piece of pieces) {
          for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
          written += piece.length;
          onBytes(written);
          yield piece;
        }
      })(),
    );
    fsyncSync(file);
    // Unlike a rename, a link never replaces what has come there meanwhile.
    linkSync(partial, path);
    syncFolder(dirname(path));
    return manifest;
  } catch (thrown) {
    throw fileError(thrown, path);
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

export interface RestoreRequest {
  readonly path: string;
  readonly dataDir: string;
  readonly force: boolean;
  readonly unixMs: number;
}

/** Errors: E_BACKUP_PLACE, E_BACKUP_INVALID, E_STORE_NEWER, E_DATA_DIR_LOCKED (a gateway runs there), E_DATA_DIR. */
export async function restoreFrom(request: RestoreRequest, onBytes: Progress): Promise<RestoreOutcome> {
  const { path, ...rest } = request;
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(thrown, path);
  });
  const folder = DataDir.openToRestore(request.dataDir);
  try {
    return await restoreBackup({ ...rest, pieces: counted(createReadStream(path), found.size, onBytes) });
  } catch (thrown) {
    throw fileError(thrown, request.dataDir);
  } finally {
    folder.release();
  }
}

async function* counted(pieces: AsyncIterable<Uint8Array>, total: number, onBytes: Progress) {
  let done = 0;
  for await (const piece of pieces) {
    done += piece.length;
    onBytes(done, total);
    yield piece;
  }
}

function create(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (thrown) {
    if (errnoOf(thrown) !== "EEXIST") throw fileError(thrown, path);
    const fix = `delete it if no backup is being written to it: rm ${path}`;
    throw new GatewayError("E_BACKUP_PLACE", `${path} is there from another backup`, { fix });
  }
}

/** Node's errors with the name of the place; others as they are. */
function fileError(thrown: unknown, path: string): unknown {
  const code = errnoOf(thrown);
  if (thrown instanceof GatewayError || code === undefined) return thrown;
  if (code === "EEXIST") return new GatewayError("E_BACKUP_PLACE", `${path} is there already`, { cause: thrown });
  const why = code === "ENOSPC" ? "the disk is full" : thrown instanceof Error ? thrown.message : code;
  const fix = code === "ENOENT" ? "check the path" : `choose another place than ${dirname(path)}, or mend it`;
  return new GatewayError("E_DATA_DIR", `${basename(path)}: ${why}`, { fix, cause: thrown });
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
