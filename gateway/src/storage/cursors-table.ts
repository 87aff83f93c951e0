/**
 * The tables `cursors` and `meta`: how far each sink has come, and what the spool knows about itself.
 */
import type { Database, Statement } from "better-sqlite3";

export interface CursorRow {
  readonly sink: string;
  readonly cursor: number;
  /** Its sink left the configuration: it holds nothing back. */
  readonly isOrphaned: boolean;
  readonly holdMaxAgeMs: number | null;
  readonly holdMaxBytes: number | null;
}

interface Row {
  sink: string;
  cursor: number;
  orphaned: number;
  hold_age_ms: number | null;
  hold_bytes: number | null;
}

/** Queries on cursors and on the facts in `meta`; inside a transaction of the caller. */
export class CursorsTable {
  readonly #all: Statement<[], Row>;
  readonly #put: Statement<[string, number, number, number | null, number | null]>;
  readonly #delete: Statement<[string]>;
  readonly #getMeta: Statement<[string], { value: string }>;
  readonly #putMeta: Statement<[string, string]>;

  constructor(db: Database) {
    this.#all = db.prepare("SELECT * FROM cursors ORDER BY sink");
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO cursors (sink, cursor, orphaned, hold_age_ms, hold_bytes) VALUES (?, ?, ?, ?, ?)",
    );
    this.#delete = db.prepare("DELETE FROM cursors WHERE sink = ?");
    this.#getMeta = db.prepare("SELECT value FROM meta WHERE key = ?");
    this.#putMeta = db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
  }

  all(): CursorRow[] {
    return this.#all.all().map((row) => ({
      sink: row.sink,
      cursor: row.cursor,
      isOrphaned: row.orphaned === 1,
      holdMaxAgeMs: row.hold_age_ms,
      holdMaxBytes: row.hold_bytes,
    }));
  }

  put(row: CursorRow): void {
    this.#put.run(row.sink, row.cursor, row.isOrphaned ? 1 : 0, row.holdMaxAgeMs, row.holdMaxBytes);
  }

  delete(sink: string): void {
    this.#delete.run(sink);
  }

  meta(key: string): string | null {
    return this.#getMeta.get(key)?.value ?? null;
  }

  putMeta(key: string, value: string): void {
    this.#putMeta.run(key, value);
  }
}
