/**
 * The tables `gaps` and `quarantine`: the permanent lists of what is missing. Permanent, but bounded: beyond the limit
 * the oldest entries go, and the count of entries ever written (the highest id) shows that they did.
 */
import type { Database, Statement } from "better-sqlite3";
import type { GapDraft } from "../spool/tables.js";

/** Newest gap entries kept: about 60 MB, years of an ordinary fleet. */
export const GAPS_KEPT = 1_000_000;

/** Newest quarantined records kept in the list; the records' own bytes are not kept by it. */
export const QUARANTINE_KEPT = 100_000;

export interface QuarantineDraft {
  readonly recordId: number;
  /** Empty: damaged on disk, so no sink gets it. */
  readonly sink: string;
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly reason: string;
  readonly atUnixMs: number;
}

/** Queries on gap entries and quarantined records; inside a transaction of the caller. */
export class GapsTable {
  readonly #add: Statement<[number, number, number, number | null, string, number, string | null]>;
  readonly #bounds: Statement<[], { oldest: number | null; newest: number | null }>;
  readonly #prune: Statement<[number]>;
  readonly #addQuarantine: Statement<[number, string, number, number, number, string, number]>;
  readonly #pruneQuarantine: Statement<[number]>;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO gaps (device_key, epoch, from_seq, to_seq, reason, at_ms, sink) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#bounds = db.prepare("SELECT (SELECT min(id) FROM gaps) AS oldest, (SELECT max(id) FROM gaps) AS newest");
    this.#prune = db.prepare("DELETE FROM gaps WHERE id <= ?");
    this.#addQuarantine = db.prepare(
      `INSERT OR IGNORE INTO quarantine (record_id, sink, device_key, epoch, seq, reason, at_ms)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#pruneQuarantine = db.prepare("DELETE FROM quarantine WHERE id <= ?");
  }

  add(gap: GapDraft): void {
    const { deviceKey, epoch, fromSeq, toSeq, reason, atUnixMs, sink } = gap;
    const added = this.#add.run(deviceKey, epoch, fromSeq, toSeq, reason, atUnixMs, sink);
    const id = Number(added.lastInsertRowid);
    if (id > GAPS_KEPT) this.#prune.run(id - GAPS_KEPT);
  }

  /** Entries in the list now. */
  count(): number {
    const bounds = this.#bounds.get();
    return bounds === undefined || bounds.oldest === null || bounds.newest === null
      ? 0
      : bounds.newest - bounds.oldest + 1;
  }

  /** @returns false when the record is on that sink's list already. */
  quarantine(draft: QuarantineDraft): boolean {
    const { recordId, sink, deviceKey, epoch, seq, reason, atUnixMs } = draft;
    const added = this.#addQuarantine.run(recordId, sink, deviceKey, epoch, seq, reason, atUnixMs);
    if (added.changes === 0) return false;
    this.#pruneQuarantine.run(Number(added.lastInsertRowid) - QUARANTINE_KEPT);
    return true;
  }
}
