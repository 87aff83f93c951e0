/** Opening, migrating, checking and moving aside: on real files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { step } from "../command/command-machine.js";
import { GatewayError } from "../core/errors.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { batchOf, helloOf, run } from "../spool/testing/batches.js";
import { closeDatabase, openDatabase, suspect } from "./database.js";
import { copyPath } from "./migrations.js";
import { markRestored, openStores } from "./open-stores.js";
import { RecordsTable } from "./records-table.js";
import type { Schema } from "./schema.js";
import { SPOOL_SCHEMA } from "./spool-schema.js";
import { clock, makeCommand, moveCommand, openTestStore, type TestFolder, testFolder } from "./testing/store.js";
import { storedRecords } from "./testing/stored-records.js";

let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder.remove());

const FIRST: Schema = {
  applicationId: 1,
  checkedTables: ["meta", "things"],
  steps: [
    (db) => {
      db.exec("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL); CREATE TABLE things (name TEXT)");
    },
  ],
};
const SECOND: Schema = {
  ...FIRST,
  steps: [...FIRST.steps, (db) => void db.exec("ALTER TABLE things ADD COLUMN size INTEGER NOT NULL DEFAULT 7")],
};

function openError(work: () => unknown): GatewayError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error("it opened");
}

describe("opening a database", () => {
  it("commits to the disk: WAL with synchronous FULL, although the library's default is NORMAL", () => {
    const { db } = openDatabase(join(folder.path, "a.db"), { schema: FIRST, unixMs: 5 });
    expect(db.pragma("journal_mode", { simple: true })).toBe("wal");
    expect(db.pragma("synchronous", { simple: true })).toBe(2);
    expect(db.pragma("foreign_keys", { simple: true })).toBe(1);
    closeDatabase(db);
  });

  it("runs on an SQLite without the WAL-reset fault", () => {
    const version = new Database(":memory:").prepare("SELECT sqlite_version() AS v").get() as { v: string };
    const [major = 0, minor = 0, patch = 0] = version.v.split(".").map(Number);
    expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003);
  });

  it("knows whether the last run was closed in order", () => {
    const path = join(folder.path, "a.db");
    const options = { schema: FIRST, unixMs: 5 };
    const first = openDatabase(path, options);
    expect(first).toMatchObject({ isNew: true, wasUnclean: false });
    first.db.close();
    const second = openDatabase(path, options);
    expect(second).toMatchObject({ isNew: false, wasUnclean: true });
    closeDatabase(second.db);
    const third = openDatabase(path, options);
    expect(third.wasUnclean).toBe(false);
    third.db.close();
  });

  it("copies the file before a migration, and the copy opens with the old version", () => {
    const path = join(folder.path, "a.db");
    const first = openDatabase(path, { schema: FIRST, unixMs: 5 });
    first.db.prepare("INSERT INTO things (name) VALUES ('lamp')").run();
    first.db.close(); // unclean: the row may still be in the WAL
    const second = openDatabase(path, { schema: SECOND, unixMs: 5 });
    expect(second.db.prepare("SELECT * FROM things").all()).toEqual([{ name: "lamp", size: 7 }]);
    closeDatabase(second.db);
    const copy = new Database(copyPath(path, 1), { readonly: true });
    expect(copy.prepare("SELECT * FROM things").all()).toEqual([{ name: "lamp" }]);
    expect(copy.pragma("user_version", { simple: true })).toBe(1);
    copy.close();
  });

  it("refuses a file of a newer version, and names the line that restores the copy", () => {
    const path = join(folder.path, "a.db");
    closeDatabase(openDatabase(path, { schema: FIRST, unixMs: 5 }).db);
    closeDatabase(openDatabase(path, { schema: SECOND, unixMs: 5 }).db);
    const error = openError(() => openDatabase(path, { schema: FIRST, unixMs: 5 }));
    expect(error).toMatchObject({ code: "E_STORE_NEWER", exitCode: 78 });
    expect(error.fix).toContain(`cp '${copyPath(path, 1)}' '${path}'`);
  });

  it("undoes a migration that fails, so that it can be tried again", () => {
    const path = join(folder.path, "a.db");
    closeDatabase(openDatabase(path, { schema: FIRST, unixMs: 5 }).db);
    const broken = {
      ...SECOND,
      steps: [
        ...SECOND.steps,
        () => {
          throw new Error("half way");
        },
      ],
    };
    expect(() => openDatabase(path, { schema: broken, unixMs: 5 })).toThrow("half way");
    const again = openDatabase(path, { schema: SECOND, unixMs: 5 });
    expect(again.db.pragma("user_version", { simple: true })).toBe(2);
    closeDatabase(again.db);
  });

  it("says which folder cannot be used", () => {
    const missing = openError(() => openDatabase(join(folder.path, "no", "a.db"), { schema: FIRST, unixMs: 5 }));
    expect(missing).toMatchObject({ code: "E_DATA_DIR", exitCode: 74 });
    mkdirSync(join(folder.path, "a.db"));
    const folderThere = openError(() => openDatabase(join(folder.path, "a.db"), { schema: FIRST, unixMs: 5 }));
    expect(folderThere.code).toBe("E_DATA_DIR");
  });

  it("moves a file that is no database aside, keeps it, and begins again", () => {
    const path = join(folder.path, "a.db");
    writeFileSync(path, "this was once a database, now it is a poem about one, and long enough to be read as a header");
    const opened = openDatabase(path, { schema: FIRST, unixMs: 1234 });
    expect(opened).toMatchObject({ isNew: true, quarantinedTo: `${path}.corrupt-1234` });
    expect(readFileSync(`${path}.corrupt-1234`, "utf8")).toContain("poem");
    closeDatabase(opened.db);
  });

  it("checks the structure after an unclean end, and all of the file after it met damage", () => {
    const path = join(folder.path, "a.db");
    const first = openDatabase(path, { schema: FIRST, unixMs: 5 });
    const insert = first.db.prepare("INSERT INTO things (name) VALUES (?)");
    first.db.transaction(() => {
      for (let i = 0; i < 2_000; i++) insert.run(`thing ${i} ${"x".repeat(100)}`);
    })();
    closeDatabase(first.db);
    damage(path, 8);
    // Closed in order: not looked at.
    const second = openDatabase(path, { schema: FIRST, unixMs: 6 });
    expect(second.quarantinedTo).toBeNull();
    second.db.close();
    const third = openDatabase(path, { schema: FIRST, unixMs: 7 });
    expect(third.quarantinedTo).toBe(`${path}.corrupt-7`);
    closeDatabase(third.db);
    suspect(path);
    const fourth = openDatabase(path, { schema: FIRST, unixMs: 8 });
    expect(fourth.quarantinedTo).toBeNull();
    expect(existsSync(`${path}.suspect`)).toBe(false);
    closeDatabase(fourth.db);
  });
});

describe("opening the stores of a data folder", () => {
  const random = new SeededRandom(3);
  const open = () => openStores({ dataDir: folder.path, clock, random, step, synchronous: "off" });

  it("brings the records of the first version into blocks, under the ids they had", () => {
    const path = join(folder.path, "spool.db");
    const [first] = SPOOL_SCHEMA.steps;
    const old = new Database(path);
    first?.(old);
    old.pragma(`user_version = 1`);
    old.exec("INSERT INTO devices (key, device, last_seen_ms) VALUES (3, 'attic-7', 0)");
    const add = old.prepare("INSERT INTO records VALUES (?, 3, 9, ?, 1, 1700000000000.5, ?, 1, 2, 0, ?)");
    for (const id of [5, 6, 8]) add.run(id, id * 10, 1_700_000_000_000 + id, new Uint8Array([id, 1]));
    old.exec("UPDATE sqlite_sequence SET seq = 12 WHERE name = 'records'");
    old.close();
    const { db } = openDatabase(path, { schema: SPOOL_SCHEMA, unixMs: 1 });
    expect(storedRecords(db)).toEqual(
      [5, 6, 8].map((id) => ({
        ...{ id, deviceKey: 3, epoch: 9, seq: id * 10, kind: 1, accuracy: 1, catalog: 2 },
        ...{ receivedUnixMs: 1_700_000_000_000.5, baseUnixMs: 1_700_000_000_000 + id },
        body: Buffer.from([id, 1]),
      })),
    );
    const records = new RecordsTable(db);
    expect(records.lastId()).toBe(12);
    expect(records.oldestBlock()).toMatchObject({ firstId: 5, lastId: 6, sound: null });
    expect(existsSync(`${path}.v1`)).toBe(true);
    closeDatabase(db);
  });

  it("takes over what can be read of a damaged spool, and says what it cannot prove", () => {
    const before = openTestStore(folder.path);
    before.engine.identity.add("attic-7", "", "hash", 1);
    const [session] = before.engine.hellos([helloOf()]);
    if (session === undefined || session instanceof GatewayError) throw new Error("refused");
    before.engine.openSinks([{ name: "broker", start: "oldest", holdMaxAgeMs: null, holdMaxBytes: null }]);
    for (let i = 0; i < 40; i++) before.engine.commit(batchOf(run(session.epoch, i * 100 + 1, i * 100 + 100)));
    before.engine.note({ cursors: [["broker", 3_000]], boots: [], audit: [] });
    before.engine.close();
    damage(join(folder.path, "spool.db"), 40);
    suspect(join(folder.path, "spool.db"));
    const after = openTestStore(folder.path);
    expect(after.stores.notices.map(({ level }) => level)).toEqual(["error", "warn"]);
    expect(after.engine.identity.all()).toHaveLength(1);
    const { lastRecordId, recordCount } = after.engine.status();
    expect(recordCount).toBeGreaterThan(500);
    expect(lastRecordId).toBeGreaterThan(3_000);
    const db = after.stores.spool.db;
    expect(db.prepare("SELECT epoch, from_seq, to_seq, reason FROM gaps").all()).toEqual([
      { epoch: 0, from_seq: 1, to_seq: null, reason: "unproven" },
    ]);
    expect(db.prepare("SELECT cursor FROM cursors").all()).toEqual([{ cursor: 3_000 }]);
    expect(readdirSync(folder.path).some((name) => name.startsWith("spool.db.corrupt-"))).toBe(true);
    after.engine.close();
  });

  it("opens a replaced spool with an entry per device that nothing acked before is proven [P-8]", () => {
    const before = openTestStore(folder.path);
    before.engine.identity.add("attic-7", "", "hash", 1);
    const storeId = before.engine.status().storeId;
    before.engine.close();
    writeFileSync(join(folder.path, "spool.db"), ""); // somebody emptied it
    const after = openTestStore(folder.path);
    expect(after.engine.status()).toMatchObject({ gapCount: 1, recordCount: 1 });
    expect(after.engine.status().storeId).not.toBe(storeId);
    after.engine.close();
    const again = openTestStore(folder.path);
    expect(again.engine.status().gapCount).toBe(1);
    again.engine.close();
  });

  it("voids the unfinished commands of a restored store [P-20]", () => {
    const before = openTestStore(folder.path);
    before.engine.identity.add("attic-7", "", "hash", 1);
    const request = {
      device: "attic-7",
      name: "fan",
      args: "{}",
      delivery: "atLeastOnce",
      ttlMs: 9e9,
      source: "api",
    } as const;
    const { command } = makeCommand(before.engine, {
      ...request,
      idempotencyKey: null,
      responseTopic: null,
      correlation: null,
    });
    moveCommand(before.engine, command.commandId, { type: "dispatch", wireId: 1, epoch: 9 });
    before.engine.close();
    markRestored(folder.path);
    const after = openTestStore(folder.path);
    expect(after.engine.unfinishedCommands()).toEqual([]);
    const row = after.stores.spool.db.prepare("SELECT state FROM commands").get();
    expect(row).toEqual({ state: "unknown" });
    expect(after.engine.status().gapCount).toBe(1);
    after.engine.close();
  });

  it("knows no device after identity.db was emptied: that denies, it does not allow", () => {
    const before = openTestStore(folder.path);
    before.engine.identity.add("attic-7", "", "hash", 1);
    before.engine.close();
    writeFileSync(join(folder.path, "identity.db"), "");
    const stores = open();
    expect(stores.identity.db.prepare("SELECT count(*) AS n FROM devices").get()).toEqual({ n: 0 });
    stores.spool.db.close();
    stores.identity.db.close();
  });
});

/** Overwrite one page of a file. */
function damage(path: string, page: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, page * 4096, page * 4096 + 4096);
  writeFileSync(path, bytes);
}
