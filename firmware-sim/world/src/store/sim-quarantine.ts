/**
 * The quarantine on the simulated disk, as `quarantine-table.ts` of the gateway keeps it on SQLite: a line and a gap
 * entry in one transaction, then aside ─▶ requeued ─▶ delivered, or back.
 */
import { RecordKind } from "tidegate/dist/model/record.js";
import { writeGap } from "tidegate/dist/spool/gap-writer.js";
import type { AsideRow, DiskTables } from "./disk-tables.js";

/** Inside a transaction. A record that is aside already stays as it is. */
export function putAside(tables: DiskTables, row: AsideRow, sink: string, atUnixMs: number): void {
  const record = tables.records[row.recordId - 1];
  if (record === undefined || tables.aside.has(row.recordId)) return;
  tables.putAside(row);
  const { deviceKey, epoch, seq, kind } = record;
  if (seq === 0 || kind === RecordKind.gap) return;
  writeGap(tables, { deviceKey, epoch, fromSeq: seq, toSeq: seq, reason: "quarantined", atUnixMs, sink });
}

/** Inside a transaction. Nothing moves when it is not in that state. */
export function moveAside(
  tables: DiskTables,
  recordId: number,
  from: AsideRow["state"],
  change: Partial<AsideRow>,
): void {
  const row = tables.aside.get(recordId);
  if (row?.state === from) tables.putAside({ ...row, ...change });
}
