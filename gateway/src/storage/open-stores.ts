/**
 * Opens both databases of a data folder and says what was found: a new store, an unclean end, damage moved aside.
 *
 *   new file, but devices are known   ┐  the store was replaced or restored: what was acked until now cannot be proven
 *   restored from a backup            ┘  here. One gap entry per device says so [P-8]; unfinished commands end [P-20]
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Random } from "../core/random.js";
import { CommandBook, type CommandStep } from "../spool/command-book.js";
import { writeGap } from "../spool/gap-writer.js";
import { type OpenedDatabase, openDatabase } from "./database.js";
import { IDENTITY_SCHEMA } from "./identity-schema.js";
import { IdentityTable } from "./identity-table.js";
import { newStoreId } from "./new-ids.js";
import { salvage } from "./salvage.js";
import { reservePath } from "./space.js";
import { SPOOL_SCHEMA } from "./spool-schema.js";
import { SqlSpoolTables } from "./spool-tables.js";

/** A commit of a second's few records touches pages of one row or two each. */
const GENTLE_PAGE_BYTES = 512;

export const SPOOL_FILE = "spool.db";
export const IDENTITY_FILE = "identity.db";

export interface OpenStore extends OpenedDatabase {
  readonly path: string;
}

/** Something the operator should read: a sentence and its facts. */
export interface StoreNotice {
  readonly level: "info" | "warn" | "error";
  readonly sentence: string;
  readonly facts: Readonly<Record<string, string | number>>;
}

export interface OpenStores {
  readonly spool: OpenStore;
  readonly identity: OpenStore;
  readonly notices: readonly StoreNotice[];
}

export interface OpenStoresOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly step: CommandStep;
  /** `off` only in simulations. */
  readonly synchronous?: "full" | "off";
  /** The disk wears by writes: a new spool has small pages. */
  readonly isGentle?: boolean;
}

/** Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO, E_STORE_FULL (not even the reserve was enough). */
export function openStores(options: OpenStoresOptions): OpenStores {
  try {
    return openBoth(options);
  } catch (thrown) {
    // Opening writes a little. On a full disk the reserve is there for that: a gateway that cannot start cannot drain.
    const reserve = reservePath(join(options.dataDir, SPOOL_FILE));
    if (!(thrown instanceof GatewayError) || thrown.code !== "E_STORE_FULL" || !existsSync(reserve)) throw thrown;
    rmSync(reserve);
    return openBoth(options);
  }
}

function openBoth(options: OpenStoresOptions): OpenStores {
  makeFolder(options.dataDir);
  const notices: StoreNotice[] = [];
  const identity = openOne(join(options.dataDir, IDENTITY_FILE), IDENTITY_SCHEMA, options, notices);
  try {
    const spool = openOne(join(options.dataDir, SPOOL_FILE), SPOOL_SCHEMA, options, notices);
    begin(spool, identity, options, notices);
    return { spool, identity, notices };
  } catch (thrown) {
    identity.db.close();
    throw thrown;
  }
}

/** Said by `backup restore` after it has put a spool.db in place, before the gateway starts on it. */
export function markRestored(dataDir: string): void {
  const db = new Database(join(dataDir, SPOOL_FILE), { fileMustExist: true });
  db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('restored', '1')").run();
  db.close();
}

function makeFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o750 });
  } catch (thrown) {
    throw new GatewayError("E_DATA_DIR", `${dataDir} cannot be made`, { cause: thrown });
  }
}

function openOne(
  path: string,
  schema: typeof SPOOL_SCHEMA,
  options: OpenStoresOptions,
  notices: StoreNotice[],
): OpenStore {
  const { synchronous, isGentle } = options;
  const opened = openDatabase(path, {
    schema,
    unixMs: options.clock.unixMs(),
    ...(synchronous === undefined ? {} : { synchronous }),
    ...(isGentle === true ? { pageBytes: GENTLE_PAGE_BYTES } : {}),
  });
  const { quarantinedTo } = opened;
  if (quarantinedTo !== null) {
    const rowCount = salvage(quarantinedTo, opened.db);
    const sentence = "A damaged database was moved aside; what could be read of it was taken over";
    notices.push({ level: "error", sentence, facts: { file: path, movedTo: quarantinedTo, rowCount } });
  } else if (opened.wasUnclean) {
    notices.push({
      level: "info",
      sentence: "The last run was not closed; the database is sound",
      facts: { file: path },
    });
  }
  return { ...opened, path };
}

/** Give a new store its name, and say what a replaced or restored one cannot prove. */
function begin(spool: OpenStore, identity: OpenStore, options: OpenStoresOptions, notices: StoreNotice[]): void {
  const tables = new SqlSpoolTables(spool.db);
  const isRestored = tables.cursors.meta("restored") !== null || spool.quarantinedTo !== null;
  const known = new IdentityTable(identity.db).all();
  const isReplaced = spool.isNew && known.length > 0;
  if (tables.cursors.meta("storeId") !== null && !isRestored && !isReplaced) return;
  const atUnixMs = options.clock.unixMs();
  spool.db
    .transaction(() => {
      tables.cursors.putMeta("storeId", newStoreId(options.random));
      spool.db.prepare("DELETE FROM meta WHERE key = 'restored'").run();
      if (!isRestored && !isReplaced) return;
      tables.records.raiseSequence(Math.max(0, ...tables.cursors.all().map(({ cursor }) => cursor)));
      new CommandBook(tables, options.step).voidAll("the store was replaced or restored", atUnixMs);
      for (const { device } of known) {
        const { key: deviceKey } = tables.device(device) ?? tables.addDevice(device, atUnixMs);
        const range = { epoch: 0, fromSeq: 1, toSeq: null };
        writeGap(tables, { deviceKey, ...range, reason: "unproven", atUnixMs, sink: null });
      }
      tables.records.flush();
    })
    .immediate();
  if (!isRestored && !isReplaced) return;
  const sentence = "The store was replaced or restored: what devices were told before cannot be proven here";
  notices.push({ level: "warn", sentence, facts: { file: spool.path, deviceCount: known.length } });
}
