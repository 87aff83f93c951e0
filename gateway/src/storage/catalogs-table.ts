/**
 * The tables `catalogs` and `catalog_parts`. Records point at a catalog by row id; its content never changes.
 */
import type { Database, Statement } from "better-sqlite3";
import type { CatalogPart, CatalogRow } from "../spool/tables.js";

/** Catalogs kept per device though no record needs them: a device may go back to its firmware before. */
const UNUSED_KEPT = 4;

interface Row {
  id: number;
  parts: number;
  complete: number;
}

/** Queries on catalogs and their parts; inside a transaction of the caller. */
export class CatalogsTable {
  readonly #get: Statement<[number, number], Row>;
  readonly #add: Statement<[number, number, number, number]>;
  readonly #addPart: Statement<[number, number, Uint8Array]>;
  readonly #countParts: Statement<[number], { count: number }>;
  readonly #complete: Statement<[number]>;
  readonly #dropPartial: Statement<[number, number]>;
  readonly #dropUnused: Statement<[{ device: number; kept: number }]>;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT id, parts, complete FROM catalogs WHERE device_key = ? AND hash = ?");
    this.#add = db.prepare("INSERT INTO catalogs (device_key, hash, parts, complete, at_ms) VALUES (?, ?, ?, 0, ?)");
    this.#addPart = db.prepare("INSERT OR REPLACE INTO catalog_parts (catalog, part, body) VALUES (?, ?, ?)");
    this.#countParts = db.prepare("SELECT count(*) AS count FROM catalog_parts WHERE catalog = ?");
    this.#complete = db.prepare("UPDATE catalogs SET complete = 1 WHERE id = ?");
    this.#dropPartial = db.prepare("DELETE FROM catalogs WHERE device_key = ? AND complete = 0 AND hash <> ?");
    this.#dropUnused = db.prepare(
      `DELETE FROM catalogs WHERE device_key = $device AND complete = 1
         AND until_record < coalesce((SELECT first_id FROM records ORDER BY last_id LIMIT 1), 9007199254740991)
         AND id <> (SELECT catalog FROM devices WHERE key = $device)
         AND id NOT IN (SELECT id FROM catalogs WHERE device_key = $device ORDER BY id DESC LIMIT $kept)`,
    );
  }

  get(deviceKey: number, hash: number): CatalogRow | null {
    const row = this.#get.get(deviceKey, hash);
    return row === undefined ? null : { id: row.id, isComplete: row.complete === 1 };
  }

  putPart(part: CatalogPart): CatalogRow {
    const { deviceKey, hash, parts } = part;
    // One catalog at a time may be half here: bounds a device that begins many and finishes none.
    this.#dropPartial.run(deviceKey, hash);
    let row = this.#get.get(deviceKey, hash);
    if (row !== undefined && row.complete === 0 && row.parts !== parts) {
      this.#dropPartial.run(deviceKey, -1);
      row = undefined;
    }
    const id = row?.id ?? Number(this.#add.run(deviceKey, hash, parts, part.atUnixMs).lastInsertRowid);
    this.#addPart.run(id, part.part, part.body);
    const isComplete = (this.#countParts.get(id)?.count ?? 0) === parts;
    if (isComplete) {
      this.#complete.run(id);
      this.#dropUnused.run({ device: deviceKey, kept: UNUSED_KEPT });
    }
    return { id, isComplete };
  }
}
