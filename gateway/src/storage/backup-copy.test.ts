/** Copies of databases in use: whole whatever is written meanwhile, on the disk, and nothing left when they fail. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkRoom, copyStores } from "./backup-copy.js";

let folder = "";
let stores: { spool: Database.Database; identity: Database.Database };
const copies = (): string => join(folder, "copies");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-copy-"));
  mkdirSync(copies());
  const open = (name: string): Database.Database => {
    const db = new Database(join(folder, name));
    db.pragma("journal_mode = WAL");
    db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, pair INTEGER NOT NULL, body BLOB NOT NULL)");
    return db;
  };
  stores = { spool: open("spool.db"), identity: open("identity.db") };
});

afterEach(() => {
  stores.spool.close();
  stores.identity.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Both rows of a pair, in one transaction: a copy that has one of them has been torn. */
function addPair(db: Database.Database, pair: number): void {
  db.transaction(() => {
    for (let half = 0; half < 2; half++) {
      db.prepare("INSERT INTO t (pair, body) VALUES (?, zeroblob(4000))").run(pair);
    }
  })();
}

describe("a copy of a database in use", () => {
  it("is whole although commits go on beside it, and holds what was there when it began", async () => {
    const before = 1_500;
    for (let pair = 0; pair < before; pair++) addPair(stores.spool, pair);
    let turns = 0;
    await copyStores(stores, copies(), () => {
      turns += 1;
      for (let more = 0; more < 5; more++) addPair(stores.spool, 1_000_000 + turns * 5 + more);
    });
    expect(turns).toBeGreaterThan(5);
    const copy = new Database(join(copies(), "spool.db"), { readonly: true });
    expect(copy.pragma("integrity_check", { simple: true })).toBe("ok");
    const torn = copy.prepare("SELECT count(*) AS count FROM (SELECT pair FROM t GROUP BY pair HAVING count(*) <> 2)");
    expect(torn.get()).toEqual({ count: 0 });
    expect(copy.prepare("SELECT count(*) AS count FROM t WHERE pair < 1000000").get()).toEqual({ count: 2 * before });
    copy.close();
  });

  it("is for its owner alone from its first byte on", async () => {
    addPair(stores.identity, 1);
    await copyStores(stores, copies());
    for (const name of ["spool.db", "identity.db"]) {
      expect(statSync(join(copies(), name)).mode & 0o777).toBe(0o600);
    }
  });

  it("that cannot be finished is taken away, and says why", async () => {
    addPair(stores.spool, 1);
    const fails = copyStores(stores, copies(), () => {
      throw new Database.SqliteError("database or disk is full", "SQLITE_FULL");
    });
    await expect(fails).rejects.toMatchObject({ code: "E_STORE_FULL" });
    expect(readdirSync(copies())).toEqual([]);
    addPair(stores.spool, 2); // and the database works on
  });

  it("is not begun where it has no room", () => {
    expect(() => checkRoom(folder, 1024)).toThrow(/copies of the databases need \d+ bytes/);
    expect(() => checkRoom(folder, 2 ** 40)).not.toThrow();
  });
});
