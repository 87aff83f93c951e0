/** The tables on SQLite keep the contract of the spool's tables. */
import Database from "better-sqlite3";
import { describe } from "vitest";
import { tablesContract } from "../spool/testing/tables-contract.js";
import { SPOOL_SCHEMA } from "./spool-schema.js";
import { SqlSpoolTables } from "./spool-tables.js";
import { storedRecords } from "./testing/stored-records.js";

describe("the spool's tables on SQLite", () => {
  tablesContract(() => {
    const db = new Database(":memory:");
    for (const step of SPOOL_SCHEMA.steps) step(db);
    const tables = new SqlSpoolTables(db);
    const transaction = <T>(work: () => T): T => {
      try {
        return db.transaction(() => {
          const result = work();
          tables.records.flush();
          return result;
        })();
      } catch (thrown) {
        tables.records.discard();
        throw thrown;
      }
    };
    return {
      tables,
      transaction,
      recordSeqs: () => storedRecords(db).map(({ seq }) => seq),
      gapCount: () => db.prepare("SELECT id FROM gaps").all().length,
    };
  });
});
