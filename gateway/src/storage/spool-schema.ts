/**
 * spool.db: everything that must share a transaction with a mark.
 *
 *   records ── device_key, catalog ──▶ devices, catalogs ◀── catalog_parts
 *   streams   marks per (device, epoch)         gaps     the permanent list
 *   cursors   how far each sink has come        boots    uptime to Unix time, per boot
 *   commands ◀── command_wires                  quarantine   records a sink refused, or damaged ones
 *
 * `records` holds blocks of records and has no secondary index: it would halve the rate of intake. AUTOINCREMENT,
 * because without it ids start again after a full drain and cursors would skip new records.
 */
import { crc32 } from "@tidegate/proto";
import type { Database } from "better-sqlite3";
import { BlockBuilder, type BlockRecord } from "./record-block.js";
import type { Schema } from "./schema.js";

const VERSION_1 = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE devices (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL UNIQUE,
    firmware TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    sleep_ms INTEGER NOT NULL DEFAULT 0,
    last_seen_ms REAL NOT NULL,
    epoch INTEGER NOT NULL DEFAULT 0,
    catalog INTEGER NOT NULL DEFAULT 0,
    last_wire_id INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE streams (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_key INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    announced INTEGER NOT NULL,
    state INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    rollback_epoch INTEGER,
    rollback_from INTEGER,
    rollback_to INTEGER,
    UNIQUE (device_key, epoch)
  ) STRICT;
  CREATE INDEX streams_epoch ON streams (epoch);
  CREATE INDEX streams_state ON streams (device_key, state);

  CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_key INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    received REAL NOT NULL,
    base REAL NOT NULL,
    accuracy INTEGER NOT NULL,
    catalog INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;

  CREATE TABLE catalogs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_key INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    at_ms REAL NOT NULL,
    until_record INTEGER NOT NULL DEFAULT 0,
    UNIQUE (device_key, hash)
  ) STRICT;
  -- The last record that may point at a catalog: behind it nothing needs it any more.
  CREATE TRIGGER catalog_left AFTER UPDATE OF catalog ON devices
    WHEN old.catalog <> new.catalog AND old.catalog <> 0
    BEGIN
      UPDATE catalogs SET until_record =
        coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0) WHERE id = old.catalog;
    END;
  CREATE TABLE catalog_parts (
    catalog INTEGER NOT NULL REFERENCES catalogs (id) ON DELETE CASCADE,
    part INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (catalog, part)
  ) STRICT;

  CREATE TABLE gaps (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_key INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER,
    reason TEXT NOT NULL,
    at_ms REAL NOT NULL,
    sink TEXT
  ) STRICT;
  CREATE INDEX gaps_device ON gaps (device_key);

  CREATE TABLE cursors (
    sink TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    orphaned INTEGER NOT NULL,
    hold_age_ms REAL,
    hold_bytes REAL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id INTEGER NOT NULL,
    sink TEXT NOT NULL,
    device_key INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at_ms REAL NOT NULL,
    UNIQUE (record_id, sink)
  ) STRICT;

  CREATE TABLE commands (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    command_id TEXT NOT NULL UNIQUE,
    device_key INTEGER NOT NULL,
    name TEXT NOT NULL,
    args TEXT NOT NULL,
    delivery TEXT NOT NULL,
    state TEXT NOT NULL,
    open INTEGER NOT NULL,
    source TEXT NOT NULL,
    ttl_ms REAL NOT NULL,
    created_ms REAL NOT NULL,
    deadline_mono_ms REAL NOT NULL,
    boot_id TEXT NOT NULL,
    wire_id INTEGER NOT NULL,
    wire_epoch INTEGER NOT NULL,
    transmissions INTEGER NOT NULL,
    updated_ms REAL NOT NULL,
    result TEXT,
    error TEXT,
    idempotency_key TEXT,
    response_topic TEXT,
    correlation TEXT
  ) STRICT;
  CREATE INDEX commands_open ON commands (device_key) WHERE open = 1;
  CREATE INDEX commands_key ON commands (device_key, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE TABLE command_wires (
    device_key INTEGER NOT NULL,
    wire_id INTEGER NOT NULL,
    command INTEGER NOT NULL REFERENCES commands (id) ON DELETE CASCADE,
    PRIMARY KEY (device_key, wire_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX command_wires_command ON command_wires (command);

  CREATE TABLE boots (
    device_key INTEGER NOT NULL,
    boot_nonce INTEGER NOT NULL,
    offset_ms REAL NOT NULL,
    at_ms REAL NOT NULL,
    PRIMARY KEY (device_key, boot_nonce)
  ) STRICT, WITHOUT ROWID;
`;

/** Records lie in blocks, many to a row: a row costs more than its bytes do (record-block.ts). */
const VERSION_2 = `
  ALTER TABLE records RENAME TO records_1;
  CREATE TABLE records (
    last_id INTEGER PRIMARY KEY AUTOINCREMENT,
    first_id INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
`;

/** Rows of the first version become blocks; ids go on where they were, also when no row is left. */
function recordsIntoBlocks(db: Database): void {
  db.exec(VERSION_2);
  const append = db.prepare<[number, number, number, Uint8Array]>(
    "INSERT INTO records (last_id, first_id, crc, body) VALUES (?, ?, ?, ?)",
  );
  const next = db.prepare<[number], Omit<BlockRecord, "bodyCrc"> & { id: number }>(
    `SELECT id, device_key AS deviceKey, epoch, seq, kind, accuracy, received AS receivedUnixMs, base AS baseUnixMs,
            catalog, body FROM records_1 WHERE id > ? ORDER BY id LIMIT 1000`,
  );
  const builder = new BlockBuilder();
  const close = (): void => {
    const { firstId, lastId, crc, body } = builder.finish();
    append.run(lastId, firstId, crc, body);
  };
  let lastId = 0;
  for (let rows = next.all(0); rows.length > 0; rows = next.all(lastId)) {
    for (const { id, ...record } of rows) {
      // Ids inside a block have no holes.
      if (builder.count > 0 && (id !== lastId + 1 || !builder.fits(record.body.length))) close();
      builder.add(id, { ...record, bodyCrc: crc32(record.body) });
      lastId = id;
    }
  }
  if (builder.count > 0) close();
  db.exec(`
    DELETE FROM sqlite_sequence WHERE name = 'records';
    UPDATE sqlite_sequence SET name = 'records' WHERE name = 'records_1';
    DROP TABLE records_1;
  `);
}

/** Quarantined records keep the message that was to be sent, and can be sent again (quarantine-table.ts). */
const VERSION_3 = `
  ALTER TABLE quarantine ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE quarantine ADD COLUMN topic TEXT;
  ALTER TABLE quarantine ADD COLUMN payload BLOB;
  CREATE INDEX quarantine_requeued ON quarantine (sink) WHERE state = 1;
`;

/** The schema of spool.db, step by step. */
export const SPOOL_SCHEMA: Schema = {
  applicationId: 0x54475350, // "TGSP"
  checkedTables: ["devices", "streams", "catalogs", "cursors", "commands", "command_wires", "boots", "meta"],
  steps: [(db) => void db.exec(VERSION_1), recordsIntoBlocks, (db) => void db.exec(VERSION_3)],
};
