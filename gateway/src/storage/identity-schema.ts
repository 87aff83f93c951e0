/**
 * identity.db: who may speak. Small, and the one file to back up.
 */
import type { Schema } from "./schema.js";

export const IDENTITY_SCHEMA: Schema = {
  applicationId: 0x54474944, // "TGID"
  checkedTables: ["devices", "settings", "audit", "meta"],
  steps: [
    (db) => {
      db.exec(`
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE devices (
          device TEXT PRIMARY KEY,
          name TEXT NOT NULL,
          token_hash TEXT,
          created_ms REAL NOT NULL,
          revoked_ms REAL
        ) STRICT;
        CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE audit (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          at_ms REAL NOT NULL,
          actor TEXT NOT NULL,
          action TEXT NOT NULL,
          subject TEXT NOT NULL
        ) STRICT;
      `);
    },
  ],
};
