/**
 * Reads records off a read-only connection, checking each row's CRC: a row that does not fit is reported, never handed
 * on. Every query is its own short read transaction, so that a checkpoint is never kept waiting.
 */
import { type Catalog, crc32, decodeCatalog, joinCatalog } from "@tidegate/proto";
import type { Database, Statement } from "better-sqlite3";
import type { Accuracy, RecordKind, StoredRecord } from "../model/record.js";
import { rowCrc } from "./row-crc.js";

type Row = [
  id: number,
  deviceKey: number,
  epoch: number,
  seq: number,
  kind: RecordKind,
  receivedUnixMs: number,
  baseUnixMs: number,
  accuracy: Accuracy,
  catalog: number,
  crc: number,
  body: Uint8Array,
];

/** Decoded catalogs kept; renderers remember what they derived from the object. */
const CATALOGS_KEPT = 1_024;

/** Device names kept. */
const NAMES_KEPT = 100_000;

/** Reads and checks rows over a connection of the caller; keeps names and catalogs, bounded. */
export class RecordReader {
  readonly #slice: Statement<[number, number], Row>;
  readonly #name: Statement<[number], { device: string }>;
  readonly #parts: Statement<[number], { body: Uint8Array }>;
  readonly #bounds: Statement<[], { oldest: number | null; last: number | null }>;
  readonly #names = new Map<number, string>();
  readonly #catalogs = new Map<number, Catalog | null>();

  constructor(db: Database) {
    this.#slice = db
      .prepare<[number, number], Row>(
        `SELECT id, device_key, epoch, seq, kind, received, base, accuracy, catalog, crc, body
         FROM records WHERE id > ? ORDER BY id LIMIT ?`,
      )
      .raw();
    this.#name = db.prepare("SELECT device FROM devices WHERE key = ?");
    this.#parts = db.prepare("SELECT body FROM catalog_parts WHERE catalog = ? ORDER BY part");
    this.#bounds = db.prepare(
      `SELECT (SELECT min(id) FROM records) AS oldest,
              (SELECT seq FROM sqlite_sequence WHERE name = 'records') AS last`,
    );
  }

  /**
   * The next records after an id.
   *
   * @param damagedIds gets the ids of rows that do not fit their checksum; they are left out.
   * @returns the records, and the id up to which rows were looked at (`afterId` when there are none).
   */
  read(afterId: number, rowsMax: number, damagedIds: number[]): { records: StoredRecord[]; scannedToId: number } {
    const records: StoredRecord[] = [];
    let scannedToId = afterId;
    for (const row of this.#slice.all(afterId, rowsMax)) {
      scannedToId = row[0];
      const record = this.#recordOf(row);
      if (record === null) damagedIds.push(row[0]);
      else records.push(record);
    }
    return { records, scannedToId };
  }

  /** The oldest id stored (last + 1 when there is none), and the last id ever given. */
  bounds(): { readonly oldestId: number; readonly lastId: number } {
    const row = this.#bounds.get();
    const lastId = row?.last ?? 0;
    return { oldestId: row?.oldest ?? lastId + 1, lastId };
  }

  /** The catalog of a row id; null when there is none or it cannot be put together. The same object every time. */
  catalog(id: number): Catalog | null {
    if (id === 0) return null;
    const known = this.#catalogs.get(id);
    if (known !== undefined) return known;
    if (this.#catalogs.size >= CATALOGS_KEPT) this.#catalogs.clear();
    const catalog = this.#loadCatalog(id);
    this.#catalogs.set(id, catalog);
    return catalog;
  }

  #loadCatalog(id: number): Catalog | null {
    const parts: Catalog[] = [];
    for (const { body } of this.#parts.all(id)) {
      const decoded = decodeCatalog(body);
      if (!decoded.ok) return null;
      parts.push(decoded.value);
    }
    const whole = joinCatalog(parts);
    return whole.ok ? whole.value : null;
  }

  #recordOf(row: Row): StoredRecord | null {
    const [id, deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, crc, body] = row;
    const fields = { deviceKey, epoch, seq, catalog, receivedUnixMs, baseUnixMs, kind, accuracy };
    if (rowCrc(fields, crc32(body)) !== crc) return null;
    const device = this.#nameOf(deviceKey);
    if (device === null) return null;
    return { id, device, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, body };
  }

  #nameOf(deviceKey: number): string | null {
    const known = this.#names.get(deviceKey);
    if (known !== undefined) return known;
    const device = this.#name.get(deviceKey)?.device;
    if (device === undefined) return null;
    if (this.#names.size >= NAMES_KEPT) this.#names.clear();
    this.#names.set(deviceKey, device);
    return device;
  }
}
