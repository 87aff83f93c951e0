/**
 * The table `records`: appended at one end, deleted at the other, read in between.
 *
 *   oldestId …………… deleted up to here ─▶ [ kept ] ◀─ appended here …………… lastId
 *
 * Rows are inserted sixteen at a time, which costs a quarter less than one by one; so a transaction ends with `flush`,
 * or with `discard` when it is undone. Whatever reads or deletes flushes first.
 */
import type { Database, Statement } from "better-sqlite3";
import { type RecordKind, RecordKind as RecordKinds } from "../model/record.js";
import type { RecordDraft } from "../spool/tables.js";
import { rowCrc } from "./row-crc.js";

/** Rows per INSERT. */
const GROUP_ROWS = 16;

/** Values per row. */
const COLUMNS = 10;

const NO_BYTES = new Uint8Array(0);

/** What dropping and skipping need of a record. */
export interface RecordHead {
  readonly id: number;
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
  readonly #appendOne: Statement<unknown[]>;
  readonly #appendGroup: Statement<unknown[]>;
  /** Values of rows that wait for their INSERT. */
  readonly #waiting: (number | Uint8Array)[] = new Array<number | Uint8Array>(GROUP_ROWS * COLUMNS).fill(0);
  #waitingRows = 0;
  /** The id the next row will get; 0: not known, to be read. One writer and AUTOINCREMENT make it certain. */
  #nextId = 0;
  readonly #deleteRange: Statement<[number, number]>;
  readonly #heads: Statement<[number, number, number], RecordHead>;
  readonly #head: Statement<[number], RecordHead>;
  readonly #firstAfter: Statement<[number], { id: number; received: number }>;
  readonly #sequence: Statement<[], { seq: number }>;
  readonly #raise: Statement<[number]>;
  readonly #startSequence: Statement<[number]>;

  constructor(db: Database) {
    const insert =
      "INSERT INTO records (device_key, epoch, seq, kind, received, base, accuracy, catalog, crc, body) VALUES ";
    const places = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    this.#appendOne = db.prepare(insert + places);
    this.#appendGroup = db.prepare(insert + new Array<string>(GROUP_ROWS).fill(places).join(", "));
    this.#deleteRange = db.prepare("DELETE FROM records WHERE id >= ? AND id <= ?");
    const head = `id, device_key AS deviceKey, epoch, seq, kind, received AS receivedUnixMs,
                  CASE kind WHEN ${RecordKinds.gap} THEN body END AS body`;
    this.#heads = db.prepare(`SELECT ${head} FROM records WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`);
    this.#head = db.prepare(`SELECT ${head} FROM records WHERE id = ?`);
    this.#firstAfter = db.prepare("SELECT id, received FROM records WHERE id > ? ORDER BY id LIMIT 1");
    this.#raise = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'records'");
    this.#startSequence = db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('records', ?)");
    this.#sequence = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'records'");
  }

  /** The body must stay as it is until the transaction ends. */
  append(draft: RecordDraft): number {
    if (this.#nextId === 0) this.#nextId = this.lastId() + 1;
    const values = this.#waiting;
    const at = this.#waitingRows * COLUMNS;
    values[at] = draft.deviceKey;
    values[at + 1] = draft.epoch;
    values[at + 2] = draft.seq;
    values[at + 3] = draft.kind;
    values[at + 4] = draft.receivedUnixMs;
    values[at + 5] = draft.baseUnixMs;
    values[at + 6] = draft.accuracy;
    values[at + 7] = draft.catalog;
    values[at + 8] = rowCrc(draft, draft.bodyCrc);
    values[at + 9] = draft.body;
    this.#waitingRows += 1;
    this.#nextId += 1;
    if (this.#waitingRows === GROUP_ROWS) {
      this.#inserted(this.#appendGroup.run(values));
      this.#waitingRows = 0;
    }
    return this.#nextId - 1;
  }

  /** Insert what waits. At the end of every transaction that appends. */
  flush(): void {
    const rows = this.#waitingRows;
    if (rows === 0) return;
    this.#waitingRows = 0;
    let last: { lastInsertRowid: number | bigint } | undefined;
    for (let row = 0; row < rows; row++) {
      last = this.#appendOne.run(this.#waiting.slice(row * COLUMNS, (row + 1) * COLUMNS));
    }
    if (last !== undefined) this.#inserted(last);
    this.#waiting.fill(NO_BYTES); // lets the batch go
  }

  /** The transaction was undone. */
  discard(): void {
    this.#waitingRows = 0;
    this.#nextId = 0;
  }

  /** Answers were given on the strength of these ids. */
  #inserted(last: { readonly lastInsertRowid: number | bigint }): void {
    if (Number(last.lastInsertRowid) === this.#nextId - 1) return;
    throw new Error(`a record got id ${last.lastInsertRowid} instead of ${this.#nextId - 1}: another process writes`);
  }

  /** @returns how many rows went. */
  deleteRange(fromId: number, toId: number): number {
    this.flush();
    return this.#deleteRange.run(fromId, toId).changes;
  }

  /** Heads of the records in (afterId, toId], at most `rowsMax`. */
  heads(afterId: number, toId: number, rowsMax: number): RecordHead[] {
    this.flush();
    return this.#heads.all(afterId, toId, rowsMax);
  }

  head(id: number): RecordHead | null {
    this.flush();
    return this.#head.get(id) ?? null;
  }

  /** The first record behind an id, and when it was received. */
  firstAfter(id: number): { readonly id: number; readonly receivedUnixMs: number } | null {
    this.flush();
    const row = this.#firstAfter.get(id);
    return row === undefined ? null : { id: row.id, receivedUnixMs: row.received };
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
    return this.#sequence.get()?.seq ?? 0;
  }

  /** The lowest id stored; lastId + 1 when there is none. */
  oldestId(): number {
    return this.firstAfter(0)?.id ?? this.lastId() + 1;
  }
}
