/** The reserve: what happens when the disk breaks its promise of free space. */
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
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
});
