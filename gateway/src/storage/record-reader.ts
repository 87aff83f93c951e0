/**
 * Reads records off a read-only connection, block by block, checking CRCs: a record that does not fit is reported,
 * never handed on. Every query is its own short read transaction, so that a checkpoint is never kept waiting.
 */
import { type Catalog, decodeCatalog, joinCatalog } from "@tidegate/proto";
import type { Database, Statement } from "better-sqlite3";
import type { StoredRecord } from "../model/record.js";
import { BlockRows, type Visited, walkBlock } from "./block-rows.js";

/** Decoded catalogs kept; renderers remember what they derived from the object. */
const CATALOGS_KEPT = 1_024;

/** Device names kept. */
const NAMES_KEPT = 100_000;

/** Reads and checks records over a connection of the caller; keeps names and catalogs, bounded. */
export class RecordReader {
  readonly #rows: BlockRows;
  readonly #name: Statement<[number], { device: string }>;
  readonly #parts: Statement<[number], { body: Uint8Array }>;
  readonly #names = new Map<number, string>();
  readonly #catalogs = new Map<number, Catalog | null>();

  constructor(db: Database) {
    this.#rows = new BlockRows(db);
    this.#name = db.prepare("SELECT device FROM devices WHERE key = ?");
    this.#parts = db.prepare("SELECT body FROM catalog_parts WHERE catalog = ? ORDER BY part");
  }

  /**
   * The next records after an id.
   *
   * @param damagedIds gets the ids of records that do not fit their checksum; they are left out.
   * @returns the records, at most `countMax` looked at, whose bodies are views of their block; and the id up to which
   *   was looked (`afterId` when there are none).
   */
  read(afterId: number, countMax: number, damagedIds: number[]): { records: StoredRecord[]; scannedToId: number } {
    const records: StoredRecord[] = [];
    let scannedToId = afterId;
    let left = countMax;
    while (left > 0) {
      const block = this.#rows.after(scannedToId);
      if (block === null) break;
      walkBlock(block, scannedToId, (visited) => {
        const record = this.#recordOf(visited);
        if (record === null) damagedIds.push(visited.id);
        else records.push(record);
        scannedToId = visited.id;
        left -= 1;
        return left > 0;
      });
    }
    return { records, scannedToId };
  }

  /** The oldest id stored (last + 1 when there is none), and the last id ever given. */
  bounds(): { readonly oldestId: number; readonly lastId: number } {
    return this.#rows.bounds();
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

  #recordOf({ id, walker, isLost }: Visited): StoredRecord | null {
    if (walker === null || isLost) return null;
    const device = this.#nameOf(walker.deviceKey);
    if (device === null) return null;
    const { epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog } = walker;
    const body = walker.bytes.subarray(walker.bodyStart, walker.bodyEnd);
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
