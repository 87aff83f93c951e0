/**
 * The spool as the history reads it: a read-only connection of its own, every query a short read transaction, so that
 * nothing here delays a commit or a checkpoint.
 */
import { join } from "node:path";
import type { Catalog } from "@tidegate/proto";
import Database from "better-sqlite3";
import type { StoredRecord } from "../model/record.js";
import { SPOOL_FILE } from "./open-stores.js";
import { RecordReader } from "./record-reader.js";

/** Records per query. */
const ROWS_MAX = 500;

/** What is read of the spool. */
export interface SpoolTail {
  /** Random name of this incarnation of the store. */
  storeId(): string;
  bounds(): { readonly oldestId: number; readonly lastId: number };
  /** The next records after an id; `scannedToId` is `afterId` when there are none. */
  read(afterId: number): { readonly records: readonly StoredRecord[]; readonly scannedToId: number };
  catalog(id: number): Catalog | null;
  close(): void;
}

/** The tail of a spool.db that the storage worker has opened. */
export class SqlSpoolTail implements SpoolTail {
  readonly #db: Database.Database;
  readonly #records: RecordReader;

  constructor(dataDir: string) {
    this.#db = new Database(join(dataDir, SPOOL_FILE), { readonly: true, fileMustExist: true, timeout: 1_000 });
    this.#records = new RecordReader(this.#db);
  }

  storeId(): string {
    const row = this.#db.prepare<[], { value: string }>("SELECT value FROM meta WHERE key = 'storeId'").get();
    return row?.value ?? "";
  }

  bounds(): { oldestId: number; lastId: number } {
    return this.#records.bounds();
  }

  /** Damaged rows are left out; those who deliver records put them on the list. */
  read(afterId: number): { records: StoredRecord[]; scannedToId: number } {
    return this.#records.read(afterId, ROWS_MAX, []);
  }

  catalog(id: number): Catalog | null {
    return this.#records.catalog(id);
  }

  close(): void {
    this.#db.close();
  }
}
