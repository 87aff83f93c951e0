/** What the writing side reads back of what it wrote, and what it must not remember. */
import { crc32 } from "@tidegate/proto";
import Database from "better-sqlite3";
import { expect, it } from "vitest";
import { Accuracy, RecordKind } from "../model/record.js";
import type { RecordDraft } from "../spool/tables.js";
import { RecordsTable } from "./records-table.js";
import { SPOOL_SCHEMA } from "./spool-schema.js";

const draft = (seq: number): RecordDraft => {
  const body = Uint8Array.of(seq);
  const times = { receivedUnixMs: 1_700_000_000_000, baseUnixMs: 1_700_000_000_000 };
  const facts = { deviceKey: 1, epoch: 7, kind: RecordKind.telemetry, accuracy: Accuracy.device, catalog: 0 } as const;
  return { ...facts, ...times, seq, bodyCrc: crc32(body), body };
};

it("knows nothing of the records of a transaction that was undone, though it had read them and their ids come again", () => {
  const db = new Database(":memory:");
  for (const step of SPOOL_SCHEMA.steps) step(db);
  const records = new RecordsTable(db);
  const undone = db.transaction(() => {
    records.append(draft(1));
    records.append(draft(2));
    expect(records.head(1)?.seq).toBe(1);
    throw new Error("the disk is full");
  });
  expect(() => undone()).toThrow("the disk is full");
  records.discard();
  db.transaction(() => {
    for (const seq of [11, 12, 13]) records.append(draft(seq));
    records.flush();
  })();
  expect(records.head(2)?.seq, "from the middle of a block").toBe(12);
  expect(records.heads(0, 10, 10).map(({ id, seq }) => [id, seq])).toEqual([
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
  db.close();
});

it("knows nothing of a block that was deleted", () => {
  const db = new Database(":memory:");
  for (const step of SPOOL_SCHEMA.steps) step(db);
  const records = new RecordsTable(db);
  for (const seq of [1, 2]) records.append(draft(seq));
  expect(records.head(1)?.seq).toBe(1);
  expect(records.deleteTo(2)).toBe(true);
  expect(records.head(1)).toBeNull();
  expect(records.head(2)).toBeNull();
  expect(records.append(draft(3)), "ids go on").toBe(3);
  db.close();
});
