/** The simulated disk keeps the contract of the spool's tables, and a crash leaves what was durable. */
import { describe, expect, it } from "vitest";
import { tablesContract } from "../../../gateway/src/spool/testing/tables-contract.js";
import { DiskTables } from "../src/store/disk-tables.js";

function inTransaction<T>(tables: DiskTables, work: () => T): T {
  tables.log.begin();
  try {
    const value = work();
    tables.durable();
    return value;
  } catch (thrown) {
    tables.undo();
    throw thrown;
  }
}

describe("the spool's tables on a simulated disk", () => {
  tablesContract(() => {
    const tables = new DiskTables();
    return {
      tables,
      transaction: (work) => inTransaction(tables, work),
      recordSeqs: () => tables.records.map(({ seq }) => seq),
      gapCount: () => tables.gaps.length,
    };
  });

  it("takes back everything of a transaction that was not durable, deletions included", () => {
    const tables = new DiskTables();
    const { key } = inTransaction(tables, () => tables.addDevice("a", 1));
    const row = { deviceKey: key, epoch: 7, mark: 1, announced: 1, state: 0, isEnded: false, rollback: null } as const;
    inTransaction(tables, () => tables.putStream({ ...row }));
    tables.log.begin();
    tables.putStream({ ...row, mark: 9 });
    tables.pruneStreams(key, 0, 0);
    tables.addDevice("b", 1);
    tables.undo();
    expect(tables.stream(key, 7)?.mark).toBe(1);
    expect(tables.device("b")).toBeNull();
  });
});
