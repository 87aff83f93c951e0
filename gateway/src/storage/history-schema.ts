/**
 * history.db: what the dashboard draws. Everything in it comes from the spool, so it may be deleted.
 *
 *   progress   one row: how far the spool was read, of which store, and where each level begins
 *   signals    one row per (device, signal), with its newest reading
 *   head       readings since the last packing, every few seconds' worth one row: read back at a start
 *   packed     up to which row of the head, and which hour, a signal's readings are in `raw` already
 *   raw        every reading        one blob per hour and signal      key = (hour · 2^20 + signal) · 8 + part
 *   minutes    figures per minute   one blob per hour and signal      key = hour · 2^20 + signal
 *   hours      figures per hour     one blob per day and signal       key = day · 2^20 + signal
 *
 * A key begins with the time: new blobs go to the end of the file's tree, page after page, and the oldest leave from
 * its front. With the signal first every packing would touch a page of its own for each signal, which an SD card feels.
 */
import type { Schema } from "./schema.js";

export const HISTORY_SCHEMA: Schema = {
  applicationId: 0x54474849, // "TGHI"
  checkedTables: ["meta", "progress", "signals", "head", "packed"],
  steps: [
    (db) => {
      db.exec(`
        CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE progress (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          cursor INTEGER NOT NULL,
          store TEXT NOT NULL,
          seen_ms REAL NOT NULL,
          known_to INTEGER NOT NULL,
          known_ms REAL NOT NULL,
          raw_from_ms REAL NOT NULL,
          minutes_from_ms REAL NOT NULL,
          hours_from_ms REAL NOT NULL,
          raw_bytes REAL NOT NULL,
          minutes_bytes REAL NOT NULL,
          hours_bytes REAL NOT NULL
        ) STRICT;
        INSERT INTO progress VALUES (1, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0);

        CREATE TABLE signals (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          device TEXT NOT NULL,
          signal TEXT NOT NULL,
          unit TEXT NOT NULL,
          last_ms REAL,
          last_v TEXT,
          last_q TEXT,
          UNIQUE (device, signal)
        ) STRICT;

        CREATE TABLE head (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL) STRICT;
        CREATE TABLE raw (key INTEGER PRIMARY KEY, n INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
        CREATE TABLE minutes (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
        CREATE TABLE hours (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
      `);
    },
    (db) => {
      db.exec(`
        CREATE TABLE packed (
          signal INTEGER PRIMARY KEY,
          head INTEGER NOT NULL,
          before_hour INTEGER NOT NULL
        ) STRICT;
      `);
    },
  ],
};
