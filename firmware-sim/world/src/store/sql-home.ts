/**
 * The home of a store on SQLite: the gateway's own engine, reader and queue in the world's thread, on files in a folder
 * of their own, under the world's clock.
 *
 *   process ─ message ─▶ [ on its way: commitMs ] ─▶ engine: one transaction, in the files ─▶ [ on its way ] ─▶ answer
 *                               │ the process dies: never asked               │ the process dies: done, not told
 *                                 └─ full (no room on the disk, or the quota), busy, failed fsync
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { GatewayError } from "tidegate/dist/core/errors.js";
import { createInThreadStorage } from "tidegate/dist/storage/in-thread-storage.js";
import { markRestored } from "tidegate/dist/storage/open-stores.js";
import { isFatal } from "tidegate/dist/storage/sqlite-error.js";
import type { Seeded } from "../seeded.js";
import { type BlockBody, flipBit, type HitRecord } from "./bit-rot.js";
import type { GatewayDisk } from "./gateway-disk.js";
import { GATEWAY_ID } from "./sim-reader.js";
import { SqlMirror } from "./sql-mirror.js";
import type { DurableTables, OpenParts, StoreHome, WorldStore } from "./world-store.js";

export interface SqlSettings {
  readonly quotaBytes: number;
  readonly whenFull: "block" | "drop-oldest";
  readonly liveRowsKept: number;
  readonly holdMaxAgeMs: number | null;
  readonly holdMaxBytes: number | null;
}

/** Memory, where the system has such a folder: the files need not survive the world. */
const FOLDERS = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const SPOOL_FILES = ["spool.db", "spool.db-wal"];
const DISK_FREE_BYTES = 2 ** 30;
const WRITES_BEFORE_FAULT_MAX = 12;
const WINDOW_DIGESTS = 64;

/** One per world; its folder goes with it. */
export class SqlHome implements StoreHome {
  readonly #disk: GatewayDisk;
  readonly #settings: SqlSettings;
  readonly #devices: readonly string[];
  readonly #sink: string;
  readonly #folder = mkdtempSync(join(FOLDERS, "tidegate-world-"));
  #mirror = new SqlMirror();
  #hasBackup = false;
  /** What the next write of the open transaction does. */
  #fault: () => void = () => {};

  constructor(disk: GatewayDisk, settings: SqlSettings, world: { devices: readonly string[]; sink: string }) {
    this.#disk = disk;
    this.#settings = settings;
    this.#devices = world.devices;
    this.#sink = world.sink;
  }

  get tables(): DurableTables {
    return this.#mirror;
  }

  get lastRecordId(): number {
    return this.#mirror.lastRecordId;
  }

  async open(parts: OpenParts): Promise<WorldStore> {
    const { clock, random, bootId, onFatal } = parts;
    const { quotaBytes, whenFull, liveRowsKept, holdMaxAgeMs, holdMaxBytes } = this.#settings;
    const storage = await createInThreadStorage({
      dataDir: this.#data,
      gatewayId: GATEWAY_ID,
      quotaBytes,
      whenFull,
      liveRowsKept,
      windowDigests: WINDOW_DIGESTS,
      keepsHistory: false,
      bootId,
      clock,
      random,
      onFatal,
      defer: this.#way(parts),
      synchronous: "off",
      fault: () => this.#fault(),
      diskFree: () => (this.#disk.isFull ? 0 : DISK_FREE_BYTES),
    });
    this.#mirror.attach(join(this.#data, "spool.db"));
    if (this.#mirror.refresh()) parts.durable();
    const known = new Set((await storage.identity.devices()).map(({ device }) => device));
    for (const device of this.#devices) if (!known.has(device)) await storage.identity.add(device, device, NO_HASH);
    const start = { name: this.#sink, start: "oldest", holdMaxAgeMs, holdMaxBytes } as const;
    const cursors = await storage.spool.openSinks([start]);
    const { spool, commands, reader } = storage;
    return {
      spool: {
        ...spool,
        commit: (batch) => unlessFatal(spool.commit(batch)),
        hello: (request) => unlessFatal(spool.hello(request)),
        quarantine: (...about) => unlessFatal(spool.quarantine(...about)),
        requeue: (...about) => unlessFatal(spool.requeue(...about)),
        settleRequeued: (...about) => unlessFatal(spool.settleRequeued(...about)),
      },
      commands: {
        create: (request, offer) => unlessFatal(commands.create(request, offer)),
        apply: (commandId, event) => unlessFatal(commands.apply(commandId, event)),
        unfinished: () => unlessFatal(commands.unfinished()),
      },
      reader: {
        rendered: (...about) => unlessFatal(reader.rendered(...about)),
        requeued: (...about) => unlessFatal(reader.requeued(...about)),
        quarantined: (...about) => unlessFatal(reader.quarantined(...about)),
      },
      cursorOf: (sink) => cursors.get(sink) ?? 0,
      kill: () => {
        storage.kill();
        this.#mirror.refresh();
      },
    };
  }

  /** Between two transactions of one thread the files are whole. */
  backUp(): boolean {
    this.#copy(this.#data, this.#folder);
    this.#hasBackup = existsSync(join(this.#folder, "spool.db"));
    return this.#hasBackup;
  }

  restore(): boolean {
    if (!this.#hasBackup) return false;
    this.#mirror.detach();
    for (const name of [...SPOOL_FILES, "spool.db-shm"]) rmSync(join(this.#data, name), { force: true });
    this.#copy(this.#folder, this.#data);
    markRestored(this.#data);
    this.#mirror = new SqlMirror();
    return true;
  }

  rot(random: Seeded): readonly HitRecord[] | null {
    const path = join(this.#data, "spool.db");
    if (!existsSync(path)) return null;
    const db = new Database(path);
    try {
      const blocks = "SELECT first_id AS firstId, last_id AS lastId, body FROM records ORDER BY last_id";
      const flip = flipBit(db.prepare<[], BlockBody>(blocks).all(), random);
      if (flip === null) return null;
      db.prepare("UPDATE records SET body = ? WHERE last_id = ?").run(flip.body, flip.lastId);
      return flip.hits;
    } finally {
      db.close();
    }
  }

  dispose(): void {
    this.#mirror.detach();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return join(this.#folder, "data");
  }

  #copy(from: string, to: string): void {
    for (const name of SPOOL_FILES) {
      rmSync(join(to, name), { force: true });
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
    }
  }

  /** Messages to and from the engine keep their order; each may meet a fault of the disk. */
  #way({ clock, durable }: OpenParts): (deliver: () => void) => void {
    let lastMs = 0;
    return (deliver) => {
      const now = clock.monoMs();
      lastMs = Math.max(lastMs, now + this.#disk.commitMs() / 2);
      clock.after(lastMs - now, () => {
        this.#arm();
        try {
          deliver();
        } finally {
          this.#fault = () => {};
        }
        if (this.#mirror.refresh()) durable();
      });
    };
  }

  #arm(): void {
    const fate = this.#disk.fate(false);
    if (fate === "ok") return;
    let left = this.#disk.writesBefore(WRITES_BEFORE_FAULT_MAX);
    this.#fault = () => {
      left -= 1;
      if (left >= 0) return;
      // A file that is busy stays so for this transaction; a failed fsync ends the process at once.
      if (fate === "busy") throw new Database.SqliteError("database is locked", "SQLITE_BUSY");
      throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    };
  }
}

/** A fatal failure ends the process: in it nobody is left to hear of what was asked. */
function unlessFatal<T>(answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    answer.then(resolve, (thrown: unknown) => {
      if (!(thrown instanceof GatewayError) || !isFatal(thrown)) reject(thrown);
    });
  });
}

/** Nobody proves anything with a token here. */
const NO_HASH = "0".repeat(64);
