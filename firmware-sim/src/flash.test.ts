/** What a power cut leaves of the outbox file. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Flash } from "./flash.js";

describe("flash", () => {
  let dir: string;
  let flash: Flash;
  beforeEach(() => {
    dir = join(mkdtempSync(join(tmpdir(), "sim-flash-")), "made-by-flash");
    flash = new Flash(dir, "sim-1");
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("brings back the file and its log as they were, whatever was written after", () => {
    writeFileSync(flash.path, "database");
    writeFileSync(`${flash.path}-wal`, "log");
    flash.keep();
    writeFileSync(flash.path, "database, closed in order");
    rmSync(`${flash.path}-wal`);
    flash.restore();
    expect(readFileSync(flash.path, "utf8")).toBe("database");
    expect(readFileSync(`${flash.path}-wal`, "utf8")).toBe("log");
  });

  it("brings back an absent file as absent, also after an earlier power cut", () => {
    writeFileSync(`${flash.path}-wal`, "log");
    flash.keep();
    rmSync(`${flash.path}-wal`);
    flash.keep();
    writeFileSync(flash.path, "new");
    flash.restore();
    expect(existsSync(flash.path)).toBe(false);
    expect(existsSync(`${flash.path}-wal`)).toBe(false);
  });
});
