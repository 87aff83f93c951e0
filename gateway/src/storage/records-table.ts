/**
 * The table `records`: appended at one end, deleted at the other, read in between.
 *
 *   oldestId …………… deleted up to here ─▶ [ kept ] ◀─ appended here …………… lastId
 *
 * Records lie in blocks, many to a row (record-block.ts), and are deleted by blocks. A transaction ends with `flush`,
 * which gives the last block its row, or with `discard` when it is undone. Whatever reads or deletes flushes first.
 */
import type { Database, Statement } from "better-sqlite3";
import { RecordKind } from "../model/record.js";
import type { RecordDraft } from "../spool/tables.js";
import { BlockRows, type Visited, walkBlock } from "./block-rows.js";
import { BlockBuilder } from "./record-block.js";

/** Blocks at each end that an estimate of sizes looks at. */
const SIZED_BLOCKS = 32;

/** What dropping and skipping need of a record. */
export interface RecordHead {
  readonly id: number;
  /** 0 for a record that is damaged so that nothing is known of it. */
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly receivedUnixMs: number;
  /** Only of gap records: their JSON. */
  readonly body: Uint8Array | null;
}

/** Queries on records; inside a transaction of the caller, which ends it with `flush` or `discard`. */
export class RecordsTable {
  readonly #builder = new BlockBuilder();
  /** The id the next record will get; 0: not known, to be read. One writer and AUTOINCREMENT make it certain. */
  #nextId = 0;
  readonly #rows: BlockRows;
  readonly #append: Statement<[number, number, number, Uint8Array]>;
  readonly #deleteTo: Statement<[number]>;
  readonly #raise: Statement<[number]>;
  readonly #startSequence: Statement<[number]>;
  readonly #sizes: Statement<[], { bytes: number | null; count: number | null }>;

  constructor(db: Database) {
    this.#rows = new BlockRows(db);
    this.#append = db.prepare("INSERT INTO records (last_id, first_id, crc, body) VALUES (?, ?, ?, ?)");
    this.#deleteTo = db.prepare("DELETE FROM records WHERE last_id <= ?");
    this.#raise = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'records'");
    const sizes = "SELECT length(body) AS bytes, last_id - first_id + 1 AS count FROM records ORDER BY last_id";
    this.#sizes = db.prepare(
      `SELECT sum(bytes) AS bytes, sum(count) AS count FROM
       (SELECT * FROM (${sizes} LIMIT ${SIZED_BLOCKS}) UNION ALL SELECT * FROM (${sizes} DESC LIMIT ${SIZED_BLOCKS}))`,
    );
    this.#startSequence = db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('records', ?)");
  }

  /** The body is copied. @returns the record's id. */
  append(draft: RecordDraft): number {
    if (this.#nextId === 0) this.#nextId = this.lastId() + 1;
    if (!this.#builder.fits(draft.body.length)) this.#insert();
    this.#builder.add(this.#nextId, draft);
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  /**
   * Bytes that a record takes, heads included: an estimate from the oldest and the newest blocks, because counting
   * would read everything. At least 1.
   */
  averageBytes(): number {
    this.flush();
    const { bytes, count } = this.#sizes.get() ?? {};
    return Math.max(1, (bytes ?? 0) / Math.max(1, count ?? 0));
  }

  /** Give the records that wait their row. At the end of every transaction that appends. */
  flush(): void {
    if (this.#builder.count > 0) this.#insert();
  }

  /** The transaction was undone. */
  discard(): void {
    this.#builder.clear();
    this.#rows.forget();
    this.#nextId = 0;
  }

  /** Delete the blocks that end at or below an id. @returns whether any went. */
  deleteTo(id: number): boolean {
    this.flush();
    this.#rows.forget();
    return this.#deleteTo.run(id).changes > 0;
  }

  /** Heads of the records in (afterId, toId], at most `countMax`. */
  heads(afterId: number, toId: number, countMax: number): RecordHead[] {
    const heads: RecordHead[] = [];
    this.#walk(afterId, (visited) => {
      if (visited.id > toId || heads.length >= countMax) return false;
      heads.push(headOf(visited));
      return true;
    });
    return heads;
  }

  /** Heads of the oldest blocks, whole blocks until at least `countMin` records or the end. */
  oldestBlocks(countMin: number): RecordHead[] {
    const heads: RecordHead[] = [];
    this.flush();
    let block = this.#rows.after(0);
    while (block !== null && heads.length < countMin) {
      walkBlock(block, 0, (visited) => heads.push(headOf(visited)) > 0);
      block = this.#rows.after(block.lastId);
    }
    return heads;
  }

  /** null when it is not stored. */
  head(id: number): RecordHead | null {
    return this.heads(id - 1, id, 1)[0] ?? null;
  }

  /** The first record behind an id, and when it was received. */
  firstAfter(id: number): { readonly id: number; readonly receivedUnixMs: number } | null {
    return this.heads(id, Number.MAX_SAFE_INTEGER, 1)[0] ?? null;
  }

  /** Ids go on above this one: a cursor must never stand above what is stored next. */
  raiseSequence(id: number): void {
    if (this.lastId() >= id) return;
    this.#nextId = 0;
    if (this.#raise.run(id).changes === 0) this.#startSequence.run(id);
  }

  /** The highest id ever given, also when nothing is left; 0 for a new file. */
  lastId(): number {
    this.flush();
    return this.#rows.bounds().lastId;
  }

  /** The block that would be deleted first; null when nothing is stored. */
  oldestBlock(): { readonly firstId: number; readonly lastId: number } | null {
    this.flush();
    return this.#rows.after(0);
  }

  #insert(): void {
    const { firstId, lastId, crc, body } = this.#builder.finish();
    this.#append.run(lastId, firstId, crc, body);
  }

  #walk(afterId: number, visit: (visited: Visited) => boolean): void {
    this.flush();
    let after = afterId;
    let goesOn = true;
    while (goesOn) {
      const block = this.#rows.after(after);
      if (block === null) return;
      walkBlock(block, after, (visited) => {
        goesOn = visit(visited);
        return goesOn;
      });
      after = block.lastId;
    }
  }
}

/** Of a damaged record what it claims: the list of gaps can say no better. A damaged gap is not believed. */
function headOf({ id, walker, isLost }: Visited): RecordHead {
  if (walker === null || (isLost && walker.kind === RecordKind.gap)) {
    return { id, deviceKey: 0, epoch: 0, seq: 0, kind: RecordKind.unknown, receivedUnixMs: 0, body: null };
  }
  const { deviceKey, epoch, seq, kind, receivedUnixMs } = walker;
  const body = kind === RecordKind.gap ? walker.bytes.slice(walker.bodyStart, walker.bodyEnd) : null;
  return { id, deviceKey, epoch, seq, kind, receivedUnixMs, body };
}
