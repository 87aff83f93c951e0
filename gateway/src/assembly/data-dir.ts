/**
 * The data folder: made, checked, locked, and the two small files that let the CLI find a running gateway.
 *
 *   <dataDir>/gateway.lock   pid and start of the gateway that uses the folder; stale ones are taken over
 *            /admin.token    the admin API's bearer token, 0600 (0640 under systemd), made at the first run
 *            /gateway.json   url and pid, written when ready, removed at stop
 */
import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, existsSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { makeFolders, readIfThere, writeFileDurably } from "../config/durable-file.js";
import { errnoOf } from "../config/locations.js";
import { GatewayError } from "../core/errors.js";
import { RESTORE_FOLDER } from "../storage/backup-restore.js";
import { SPOOL_FILE } from "../storage/open-stores.js";
import { reservePath } from "../storage/space.js";

/** What gateway.json says; `url` is the admin API's. */
export interface GatewayFile {
  readonly url: string;
  readonly pid: number;
  readonly gatewayId: string;
  readonly version: string;
  readonly devicesUrl: string;
  readonly devicesPort: number;
  readonly adminPort: number;
  readonly startedAt: string;
}

/** One open, locked data folder; `release` ends it. */
export class DataDir {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Make the folder if needed and lock it.
   * Errors: E_DATA_DIR (cannot be made or written; a restore was cut off), E_DATA_DIR_LOCKED (a gateway has it).
   */
  static open(path: string): DataDir {
    const dir = DataDir.openToRestore(path);
    if (!existsSync(dir.file(RESTORE_FOLDER))) return dir;
    dir.release();
    throw new GatewayError("E_DATA_DIR", `a restore into ${path} was cut off: ${dir.file(RESTORE_FOLDER)} is there`, {
      fix: "run `tidegate backup restore --force` again, or delete that folder if you gave the restore up",
    });
  }

  /** As `open`, also when a restore was cut off. */
  static openToRestore(path: string): DataDir {
    const dir = new DataDir(path);
    try {
      makeFolders(path, 0o750);
      dir.#lock();
    } catch (thrown) {
      if (thrown instanceof GatewayError) throw thrown;
      throw new GatewayError("E_DATA_DIR", `${path}: ${describe(thrown)}`, {
        fix: `make it writable for this user: mkdir -p ${path} && chown "$(id -un)" ${path}, or set gateway.dataDir`,
        cause: thrown,
      });
    }
    return dir;
  }

  /** Absolute path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /**
   * The admin token; made at the first run. An empty file means deny: it is an error, never a new token.
   * @param readers `group`: the members of the gateway's group may use the command line without sudo.
   */
  adminToken(readers: "owner" | "group" = "owner"): string {
    const path = this.file("admin.token");
    const token = this.#adminToken(path);
    if (readers === "group") chmodSync(path, GROUP_MODE);
    return token;
  }

  #adminToken(path: string): string {
    const known = readIfThere(path)?.toString("utf8");
    if (known !== undefined) {
      if (known.trim() === "") {
        throw new GatewayError("E_DATA_DIR", `${path} is empty, so nobody may use the API`, {
          fix: `delete it to have a new token made: rm ${path}`,
        });
      }
      return known.trim();
    }
    const token = `tga_${randomBytes(32).toString("base64url")}`;
    writeFileDurably(path, `${token}\n`);
    return token;
  }

  /**
   * Tell the CLI where the gateway is.
   * @returns false when the disk is so full that not even this fits: no reason not to run, and to drain it.
   */
  announce(file: GatewayFile): boolean {
    try {
      this.#roomy(() => {
        writeFileDurably(this.file("gateway.json"), `${JSON.stringify(file, null, 2)}\n`, PUBLIC_MODE);
      });
      return true;
    } catch (thrown) {
      if (errnoOf(thrown) !== "ENOSPC") throw thrown;
      return false;
    }
  }

  /** A gateway that cannot start cannot drain a full disk: the store's reserve is there for these few bytes, too. */
  #roomy(write: () => void): void {
    try {
      write();
    } catch (thrown) {
      if (errnoOf(thrown) !== "ENOSPC") throw thrown;
      rmSync(reservePath(this.file(SPOOL_FILE)), { force: true });
      write();
    }
  }

  /** Take back what `announce` wrote and unlock the folder. */
  release(): void {
    rmSync(this.file("gateway.json"), { force: true });
    rmSync(this.file("gateway.lock"), { force: true });
  }

  #lock(): void {
    const path = this.file("gateway.lock");
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        this.#roomy(() => writeLock(path));
        return;
      } catch (thrown) {
        if (errnoOf(thrown) !== "EEXIST") throw thrown;
      }
      const [pid, start] = (readIfThere(path)?.toString("utf8") ?? "").trim().split(" ");
      if (pid !== undefined && start !== undefined && startOf(Number(pid)) === start && start !== "") {
        throw new GatewayError("E_DATA_DIR_LOCKED", `the gateway with process id ${pid} uses ${this.path}`, {
          fix: `stop it (kill ${pid}), or give this one another gateway.dataDir`,
        });
      }
      rmSync(path, { force: true });
    }
    throw new GatewayError("E_DATA_DIR_LOCKED", `another gateway is starting in ${this.path}`);
  }
}

/** Whole or not there: an empty lock would say nothing. */
function writeLock(path: string): void {
  const fd = openSync(path, "wx", 0o644);
  try {
    writeSync(fd, `${process.pid} ${startOf(process.pid)}\n`);
  } catch (thrown) {
    rmSync(path, { force: true });
    throw thrown;
  } finally {
    closeSync(fd);
  }
}

/**
 * When a process started, in clock ticks since boot together with the boot's id; empty when there is no such process.
 * A pid alone is reused after a reboot, and then a crash would lock the folder for good.
 */
function startOf(pid: number): string {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === "") return "";
  // The second field is the name in parentheses and may hold spaces; field 22 is the start time.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return `${readProc("/proc/sys/kernel/random/boot_id").trim()}:${fields[19] ?? ""}`;
}

function readProc(path: string): string {
  try {
    return readIfThere(path)?.toString("utf8") ?? "";
  } catch {
    return ""; // the process ended between the two system calls
  }
}

/** The group is the service's own: whoever is in it was put there to run the gateway. */
const GROUP_MODE = 0o640;

/** gateway.json holds no secret: everybody may find the gateway. */
const PUBLIC_MODE = 0o644;

function describe(thrown: unknown): string {
  const code = errnoOf(thrown);
  if (code === "EACCES" || code === "EPERM") return "this user may not write there";
  if (code === "ENOTDIR" || code === "EEXIST") return "there is a file where the folder should be";
  if (code === "EROFS") return "the file system is read-only";
  if (code === "ENOSPC") return "the disk is full";
  return thrown instanceof Error ? thrown.message : String(thrown);
}
