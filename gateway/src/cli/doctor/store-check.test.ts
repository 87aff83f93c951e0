/** What the doctor says of each state that the store's files can be in. */
import { describe, expect, it } from "vitest";
import { storeCheck } from "./store-check.js";

const WHOLE = { "identity.db": 4_096, "spool.db": 8_192, "spool.db.reserve": 8_388_608 };
const told = (files: Record<string, number>, isRunning = false): string => {
  const { verdict, detail } = storeCheck(new Map(Object.entries(files)), isRunning);
  return `${verdict}: ${detail}`;
};

describe("the store's files", () => {
  it.each([
    ["before the first start", {}, "ok: none yet"],
    ["whole", WHOLE, "ok: spool.db 8.0 KiB, identity.db 4.0 KiB; whole"],
    ["left open by a kill", { ...WHOLE, "spool.db-wal": 32 }, "ok: .*not closed; the next start checks it"],
    ["with damage met", { ...WHOLE, "spool.db.suspect": 0 }, "warn: .*checks all of it"],
    [
      "with a file moved aside",
      { ...WHOLE, "spool.db.corrupt-1700": 9 },
      "warn: damaged and moved aside: spool.db.corrupt-1700",
    ],
    ["without a spool", { "identity.db": 4_096 }, "warn: spool.db is missing or empty.*unproven"],
    ["with an empty spool", { ...WHOLE, "spool.db": 0 }, "warn: spool.db is missing or empty"],
    ["with emptied credentials", { ...WHOLE, "identity.db": 0 }, "fail: identity.db is empty: every device is denied"],
    ["without credentials", { "spool.db": 8_192 }, "fail: identity.db is missing: every device is denied"],
  ])("%s", (_what, files, expected) => {
    expect(told(files)).toMatch(new RegExp(`^${expected}`));
  });

  it("lack their reserve only where a gateway runs: one that has stopped made it, or never needed it", () => {
    const { "spool.db.reserve": _, ...without } = WHOLE;
    expect(told(without, true)).toMatch(/^warn: spool.db has no reserve/);
    expect(told(without)).toMatch(/^ok/);
  });

  it("moved aside are named, not all of many", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`spool.db.corrupt-${i}`, 1]));
    expect(told({ ...WHOLE, ...many })).toMatch(/spool\.db\.corrupt-3 and 5 more$/);
  });
});
