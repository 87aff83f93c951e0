/** Room: a disk that breaks its promise of free space, and a WAL that a reader keeps from being folded in. */
import { existsSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WAL_BYTES_MAX } from "./database.js";
import { RESERVE_BYTES, reservePath, Space } from "./space.js";
import { type TestFolder, testFolder } from "./testing/store.js";

let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder.remove());

describe("the reserve", () => {
  it("is left out when the disk says it has room and then has none, and is made when it has", () => {
    const path = join(folder.path, "spool.db");
    const db = new Database(path);
    const space = new Space(db, path, 2 ** 30, () => 100 * RESERVE_BYTES);
    symlinkSync("/dev/full", reservePath(path));
    space.refillReserve();
    expect(existsSync(reservePath(path))).toBe(false);
    space.refillReserve();
    expect(existsSync(reservePath(path))).toBe(true);
    db.close();
  });

  it("is given up when the disk is full, and comes back when there is room for it and a WAL", () => {
    const path = join(folder.path, "spool.db");
    const db = new Database(path);
    let freeBytes = 100 * RESERVE_BYTES;
    const space = new Space(db, path, 2 ** 30, () => freeBytes);
    space.refillReserve();
    expect(statSync(reservePath(path)).size).toBe(RESERVE_BYTES);
    space.scrapeTogether();
    expect(existsSync(reservePath(path))).toBe(false);
    freeBytes = RESERVE_BYTES;
    space.refillReserve();
    expect(existsSync(reservePath(path))).toBe(false);
    freeBytes = 2 * RESERVE_BYTES;
    space.refillReserve();
    expect(statSync(reservePath(path)).size).toBe(RESERVE_BYTES);
    db.close();
  });
});

describe("the WAL", () => {
  it("grows while somebody reads, and is cut back below its cap as soon as he lets go", () => {
    const path = join(folder.path, "spool.db");
    const db = new Database(path);
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = OFF");
    db.pragma(`journal_size_limit = ${WAL_BYTES_MAX}`);
    db.exec("CREATE TABLE t (a BLOB)");
    const space = new Space(db, path, 2 ** 30, () => 2 ** 40);
    const reader = new Database(path, { readonly: true });
    reader.exec("BEGIN; SELECT count(*) FROM t");
    const add = db.prepare("INSERT INTO t VALUES (zeroblob(1048576))");
    for (let mib = 0; mib <= WAL_BYTES_MAX / 2 ** 20; mib++) add.run();
    const walBytes = (): number => statSync(`${path}-wal`).size;
    expect(walBytes()).toBeGreaterThan(WAL_BYTES_MAX);
    space.capWal();
    reader.exec("COMMIT");
    space.capWal();
    expect(walBytes()).toBeLessThanOrEqual(WAL_BYTES_MAX);
    reader.close();
    db.close();
  });
});
