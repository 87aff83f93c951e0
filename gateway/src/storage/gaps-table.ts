/**
 * The table `gaps`: the permanent list of what is missing. Permanent, but bounded: beyond the limit the oldest entries
 * go, and the count of entries ever written (the highest id) shows that they did.
 */
import type { Database, Statement } from "better-sqlite3";
import type { GapDraft } from "../spool/tables.js";

/** Newest gap entries kept: about 60 MB, years of an ordinary fleet. */
export const GAPS_KEPT = 1_000_000;

/** Queries on gap entries; inside a transaction of the caller. */
export class GapsTable {
  readonly #add: Statement<[number, number, number, number | null, string, number, string | null]>;
  readonly #bounds: Statement<[], { oldest: number | null; newest: number | null }>;
  readonly #prune: Statement<[number]>;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO gaps (device_key, epoch, from_seq, to_seq, reason, at_ms, sink) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#bounds = db.prepare("SELECT (SELECT min(id) FROM gaps) AS oldest, (SELECT max(id) FROM gaps) AS newest");
    this.#prune = db.prepare("DELETE FROM gaps WHERE id <= ?");
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
}
