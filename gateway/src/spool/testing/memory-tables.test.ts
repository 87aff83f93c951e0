/** The tables in memory keep the contract of the spool's tables. */
import { describe } from "vitest";
import { MemoryTables } from "./memory-tables.js";
import { tablesContract } from "./tables-contract.js";

describe("the spool's tables in memory", () => {
  tablesContract(() => {
    const tables = new MemoryTables();
    return {
      tables,
      transaction: (work) => tables.transaction(work),
      recordSeqs: () => tables.records.map(({ seq }) => seq),
      gapCount: () => tables.gaps.length,
    };
  });
});
