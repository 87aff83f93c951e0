/**
 * The table `records`: appended at one end, deleted at the other, read in between.
 *
 *   oldestId …………… deleted up to here ─▶ [ kept ] ◀─ appended here …………… lastId
 */
import type { Database, Statement } from "better-sqlite3";
import { type RecordKind, RecordKind as RecordKinds } from "../model/record.js";
import type { RecordDraft } from "../spool/tables.js";
import { rowCrc } from "./row-crc.js";

type AppendValues = [number, number, number, number, number, number, number, number, number, Uint8Array];

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

export class RecordsTable {
  readonly #append: Statement<AppendValues>;
  readonly #deleteRange: Statement<[number, number]>;
  readonly #heads: Statement<[number, number, number], RecordHead>;
  readonly #head: Statement<[number], RecordHead>;
  readonly #firstAfter: Statement<[number], { id: number; received: number }>;
  readonly #sequence: Statement<[], { seq: number }>;
  readonly #raise: Statement<[number]>;
  readonly #startSequence: Statement<[number]>;

  constructor(db: Database) {
    this.#append = db.prepare(
      `INSERT INTO records (device_key, epoch, seq, kind, received, base, accuracy, catalog, crc, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
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

  append(draft: RecordDraft): number {
    const crc = rowCrc(draft, draft.bodyCrc);
    const { deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, body } = draft;
    const args: AppendValues = [deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, crc, body];
    return Number(this.#append.run(...args).lastInsertRowid);
  }

  /** @returns how many rows went. */
  deleteRange(fromId: number, toId: number): number {
    return this.#deleteRange.run(fromId, toId).changes;
  }

  /** Heads of the records in (afterId, toId], at most `rowsMax`. */
  heads(afterId: number, toId: number, rowsMax: number): RecordHead[] {
    return this.#heads.all(afterId, toId, rowsMax);
  }

  head(id: number): RecordHead | null {
    return this.#head.get(id) ?? null;
  }

  /** The first record behind an id, and when it was received. */
  firstAfter(id: number): { readonly id: number; readonly receivedUnixMs: number } | null {
    const row = this.#firstAfter.get(id);
    return row === undefined ? null : { id: row.id, receivedUnixMs: row.received };
  }

  /** Ids go on above this one: a cursor must never stand above what is stored next. */
  raiseSequence(id: number): void {
    if (this.lastId() >= id) return;
    if (this.#raise.run(id).changes === 0) this.#startSequence.run(id);
  }

  /** The highest id ever given, also when nothing is left; 0 for a new file. */
  lastId(): number {
    return this.#sequence.get()?.seq ?? 0;
  }

  /** The lowest id stored; lastId + 1 when there is none. */
  oldestId(): number {
    return this.firstAfter(0)?.id ?? this.lastId() + 1;
  }
}
