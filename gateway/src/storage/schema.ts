/**
 * A database's schema: its steps from nothing to now, forward only. A step that was released is never changed.
 */
import type { Database } from "better-sqlite3";

export interface Schema {
  /** SQLite's application_id: says whose file it is, four ASCII characters as a number. */
  readonly applicationId: number;
  /** Step i leads from version i to version i + 1. */
  readonly steps: readonly ((db: Database) => void)[];
  /** Tables whose structure is checked after an unclean start; none may grow with the backlog. */
  readonly checkedTables: readonly string[];
}
