/**
 * The files of a backup, found and read: the copies of the databases, the keys, the token, the configuration.
 *
 *   <dataDir>/backup.tmp/spool.db, identity.db     copies, removed when the backup was read or given up
 *            /pki/*  /admin.token                  as they are: small, written whole and seldom
 *   tidegate.yaml                                  what the gateway was started with
 */
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../core/errors.js";
import { type BackupMember, type BackupOrigin, type BackupStream, writeArchive } from "./backup-archive.js";
import { checkRoom } from "./backup-copy.js";
import { IDENTITY_FILE, SPOOL_FILE } from "./open-stores.js";

/** Copies lie here while a backup is read. One that is left over by a crash is removed with the next backup. */
const WORK_FOLDER = "backup.tmp";

/** Remove what a crash left of a backup. */
export function removeLeftCopies(dataDir: string): void {
  rmSync(join(dataDir, WORK_FOLDER), { recursive: true, force: true });
}

const READ_BYTES = 256 * 1024;

export interface BackupSource {
  readonly dataDir: string;
  /** The configuration; null when the gateway runs by its defaults. */
  readonly configFile: string | null;
  readonly origin: BackupOrigin;
  /** Puts copies of both databases into a folder. */
  readonly copyStores: (folder: string) => Promise<void>;
}

/**
 * Make copies, and a stream over them. Whoever calls it reads `pieces` to the end or returns them; the copies go then.
 * Errors: E_STORE_FULL, E_STORE_IO, E_STORE_BUSY, E_DATA_DIR.
 */
export async function makeBackup(source: BackupSource): Promise<BackupStream> {
  const { dataDir, origin } = source;
  const work = join(dataDir, WORK_FOLDER);
  const { bavail, bsize } = await statfs(dataDir);
  rmSync(work, { recursive: true, force: true });
  checkRoom(dataDir, bavail * bsize);
  try {
    mkdirSync(work, { mode: 0o700 });
    await source.copyStores(work);
    const stream = writeArchive(members(source, work), origin);
    return { ...stream, pieces: removingAfter(stream.pieces, work) };
  } catch (thrown) {
    rmSync(work, { recursive: true, force: true });
    throw thrown;
  }
}

/** A generator's own `finally` would not run for a reader that leaves before its first piece. */
function removingAfter(pieces: AsyncIterable<Uint8Array>, work: string): AsyncIterableIterator<Uint8Array> {
  const inner = pieces[Symbol.asyncIterator]();
  const remove = (): void => rmSync(work, { recursive: true, force: true });
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: async () => {
      try {
        const result = await inner.next();
        if (result.done === true) remove();
        return result;
      } catch (thrown) {
        remove();
        throw thrown;
      }
    },
    return: async () => {
      await inner.return?.();
      remove();
      return { done: true, value: undefined };
    },
  };
}

function members({ dataDir, configFile }: BackupSource, work: string): BackupMember[] {
  const pki = existsSync(join(dataDir, "pki")) ? readdirSync(join(dataDir, "pki")).sort() : [];
  const small = [
    ...pki.filter((name) => !name.startsWith(".")).map((name) => [`pki/${name}`, join(dataDir, "pki", name)] as const),
    ["admin.token", join(dataDir, "admin.token")] as const,
    ...(configFile === null ? [] : [["tidegate.yaml", configFile] as const]),
  ];
  return [
    large(SPOOL_FILE, join(work, SPOOL_FILE)),
    large(IDENTITY_FILE, join(work, IDENTITY_FILE)),
    ...small.filter(([, path]) => existsSync(path)).map(([name, path]) => inMemory(name, path)),
  ];
}

/** Small files are read at once: a certificate and its key belong together. */
function inMemory(name: string, path: string): BackupMember {
  const content = readOr(path);
  return {
    name,
    bytes: content.length,
    content: async function* () {
      yield content;
    },
  };
}

function readOr(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new GatewayError("E_DATA_DIR", `${path} cannot be read`, { cause: thrown });
  }
}

function large(name: string, path: string): BackupMember {
  const content = () => createReadStream(path, { highWaterMark: READ_BYTES });
  return { name, bytes: statSync(path).size, content };
}
