/**
 * Takes over what can still be read of a damaged database that was moved aside: table by table, row by row, forwards
 * until the first row that cannot be read, then backwards from the end. The damaged file itself is never changed.
 *
 *   rows   ● ● ● ● ✗ ✗ ● ● ●          forwards ──▶ ✗     ✗ ◀── backwards
 */
import Database from "better-sqlite3";

/** Rows taken over at most, all tables together: bounds how long a start may take. */
const ROWS_MAX = 2_000_000;

/** @returns how many rows were taken over. */
export function salvage(damagedPath: string, into: Database.Database): number {
  let from: Database.Database;
  try {
    from = new Database(damagedPath, { readonly: true, fileMustExist: true });
  } catch {
    return 0; // not even its header can be read
  }
  let count = 0;
  try {
    into.pragma("foreign_keys = OFF");
    for (const table of tablesOf(into)) {
      count += into.transaction(() => copyTable(from, into, table, ROWS_MAX - count))();
    }
  } finally {
    into.pragma("foreign_keys = ON");
    from.close();
  }
  return count;
}

function tablesOf(db: Database.Database): string[] {
  const all = db
    .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();
  return all.map(({ name }) => name).filter((name) => name !== "meta");
}

function copyTable(from: Database.Database, into: Database.Database, table: string, rowsMax: number): number {
  const columns = into
    .prepare<[string], { name: string }>("SELECT name FROM pragma_table_info(?)")
    .all(table)
    .map(({ name }) => name);
  const list = columns.join(", ");
  const places = columns.map(() => "?").join(", ");
  const insert = into.prepare<unknown[]>(`INSERT OR IGNORE INTO ${table} (${list}) VALUES (${places})`);
  let count = 0;
  for (const order of ["ASC", "DESC"]) {
    try {
      const rows = from.prepare<[], unknown[]>(`SELECT ${list} FROM ${table} ORDER BY 1 ${order}`).raw().iterate();
      for (const row of rows) {
        if (count >= rowsMax) break;
        count += insert.run(row).changes;
      }
      return count; // read to the end: nothing is left for the other direction
    } catch (thrown) {
      if (!(thrown instanceof Database.SqliteError)) throw thrown;
    }
  }
  return count;
}
