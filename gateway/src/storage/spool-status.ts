/**
 * The spool's figures, none of which costs more than a few rows: ids stand in for counting.
 *
 *   records  = lastId − oldestId + 1     exact: ids have no holes but those of damaged rows that were rebuilt
 *   backlog  = lastId − cursor           exact in the same sense; records of unknown kinds count too
 */
import type { SinkBacklog, SpoolStatus } from "../model/spool.js";
import type { Cursors } from "./cursors.js";
import type { Space } from "./space.js";
import type { SqlSpoolTables } from "./spool-tables.js";

export interface StatusSources {
  readonly storeId: string;
  readonly tables: SqlSpoolTables;
  readonly cursors: Cursors;
  readonly space: Space;
  readonly oldestId: number;
  readonly lastId: number;
  readonly isFull: boolean;
  readonly bytesWrittenToday: number;
  readonly nowUnixMs: number;
}

/** The figures of now. Reads a few rows; throws what SQLite throws. */
export function spoolStatus(from: StatusSources): SpoolStatus {
  const { oldestId, lastId, space } = from;
  return {
    storeId: from.storeId,
    recordCount: lastId - oldestId + 1,
    oldestRecordId: oldestId,
    lastRecordId: lastId,
    usedBytes: space.usedBytes(),
    quotaBytes: space.quotaBytes,
    diskFreeBytes: space.diskFreeBytes(),
    gapCount: from.tables.gaps.count(),
    full: from.isFull,
    bytesWrittenToday: from.bytesWrittenToday,
    sinks: [...from.cursors.rows()].map((row) => backlogOf(row, from)),
  };
}

function backlogOf(row: { sink: string; cursor: number; isOrphaned: boolean }, from: StatusSources): SinkBacklog {
  // What was deleted before the sink took it (dropped, or it is orphaned) is no backlog any more.
  const cursor = Math.max(row.cursor, from.oldestId - 1);
  const first = from.tables.records.firstAfter(cursor);
  return {
    sink: row.sink,
    cursor: row.cursor,
    backlogCount: Math.max(0, from.lastId - cursor),
    backlogAgeMs: first === null ? 0 : Math.max(0, from.nowUnixMs - first.receivedUnixMs),
    orphaned: row.isOrphaned,
  };
}
