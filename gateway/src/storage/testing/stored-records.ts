/** What lies in the blocks of a spool.db, for tests that look past the product's own reader. */
import type Database from "better-sqlite3";
import { BLOCK_HEAD_BYTES, BlockWalker } from "../record-block.js";

export interface StoredFacts {
  readonly id: number;
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: number;
  readonly receivedUnixMs: number;
  readonly baseUnixMs: number;
  readonly accuracy: number;
  readonly catalog: number;
  readonly body: Uint8Array;
}

/** Every record, in order; unchecked. */
export function storedRecords(db: Database.Database): StoredFacts[] {
  const rows = db
    .prepare<[], { first_id: number; body: Uint8Array }>("SELECT first_id, body FROM records ORDER BY last_id")
    .all();
  return rows.flatMap(({ first_id: firstId, body }) => factsOf(body, firstId));
}

/** The records of one block. */
export function factsOf(bytes: Uint8Array, firstId: number): StoredFacts[] {
  const walker = new BlockWalker(bytes, firstId);
  const found: StoredFacts[] = [];
  for (let at = walker.read(BLOCK_HEAD_BYTES); at >= 0; at = at < bytes.length ? walker.read(at) : -1) {
    const { deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog } = walker;
    const body = bytes.slice(walker.bodyStart, walker.bodyEnd);
    const id = firstId + found.length;
    found.push({ id, deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, body });
  }
  return found;
}

/** Flip a bit in the last byte of one record's body, in the file. */
export function damageRecord(db: Database.Database, id: number): void {
  const row = db
    .prepare<[number], { last_id: number; first_id: number; body: Uint8Array }>(
      "SELECT last_id, first_id, body FROM records WHERE last_id >= ? ORDER BY last_id LIMIT 1",
    )
    .get(id);
  if (row === undefined) throw new Error(`there is no record ${id}`);
  const walker = new BlockWalker(row.body, row.first_id);
  let at = BLOCK_HEAD_BYTES;
  for (let left = id - row.first_id; left >= 0; left--) at = walker.read(at);
  const last = walker.bodyEnd - 1;
  row.body[last] = (row.body[last] ?? 0) ^ 1;
  db.prepare("UPDATE records SET body = ? WHERE last_id = ?").run(row.body, row.last_id);
}
