/** Which SQLite is built in: said on the first screen, because a bug report needs it. */
import Database from "better-sqlite3";

/** E.g. `3.51.3`. Opens no file. */
export function sqliteVersion(): string {
  const db = new Database(":memory:");
  try {
    return db.prepare<[], { v: string }>("SELECT sqlite_version() AS v").get()?.v ?? "unknown";
  } finally {
    db.close();
  }
}
