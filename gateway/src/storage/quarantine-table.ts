/**
 * The table `quarantine`: records that a sink refused or that are damaged, with the message as it was to be sent, so
 * that it can be sent again byte for byte after its record has left the spool.
 *
 *   aside ──requeue──▶ requeued ──taken──▶ delivered
 *     ▲                   │refused
 *     └───────────────────┘
 *
 * Bounded twice: the list by its length, the kept messages by their bytes; of the oldest only the line stays.
 */
import type { Database, Statement } from "better-sqlite3";
import { GatewayError } from "../core/errors.js";
import type { QuarantinedMessage } from "../model/spool.js";

/** Newest quarantined records kept in the list. */
export const QUARANTINE_KEPT = 100_000;

/** Bytes of messages kept for being sent again. */
export const QUARANTINE_BYTES_MAX = 64 * 1024 * 1024;

/** The numbers are stored: never renumber. */
export const QuarantineState = { aside: 0, requeued: 1, delivered: 2 } as const;

export interface QuarantineDraft {
  readonly recordId: number;
  /** Empty: damaged on disk, so no sink gets it. */
  readonly sink: string;
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly reason: string;
  readonly atUnixMs: number;
  /** null: there is none to send. */
  readonly message: QuarantinedMessage | null;
}

/** Queries on quarantined records; inside a transaction of the caller. */
export class QuarantineTable {
  readonly #add: Statement<unknown[]>;
  readonly #prune: Statement<[number]>;
  readonly #again: Statement<[number, number, string, number]>;
  readonly #move: Statement<[number, string, string, number, number]>;
  readonly #kept: Statement<[], { bytes: number | null }>;
  readonly #strip: Statement<[]>;
  readonly #forget: Statement<[string]>;
  readonly #bytesMax: number;
  /** What is kept, or more: a transaction that was undone leaves it too high. Counted again at the limit. */
  #keptBytes: number;

  constructor(db: Database, bytesMax = QUARANTINE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#add = db.prepare(
      `INSERT OR IGNORE INTO quarantine (record_id, sink, device_key, epoch, seq, reason, at_ms, topic, payload)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#prune = db.prepare("DELETE FROM quarantine WHERE id <= ?");
    this.#again = db.prepare(
      `UPDATE quarantine SET state = ? WHERE record_id = ? AND sink = ? AND state = ? AND payload IS NOT NULL`,
    );
    this.#move = db.prepare(
      "UPDATE quarantine SET state = ?, reason = ? WHERE sink = ? AND record_id = ? AND state = ?",
    );
    this.#kept = db.prepare("SELECT sum(length(payload)) AS bytes FROM quarantine WHERE payload IS NOT NULL");
    this.#strip = db.prepare(
      `UPDATE quarantine SET topic = NULL, payload = NULL, state = CASE state WHEN 1 THEN 0 ELSE state END
       WHERE id IN (SELECT id FROM quarantine WHERE payload IS NOT NULL ORDER BY id LIMIT 64)`,
    );
    this.#forget = db.prepare("DELETE FROM quarantine WHERE sink = ?");
    this.#keptBytes = this.#count();
  }

  /** @returns false when the record is on that sink's list already. */
  add(draft: QuarantineDraft): boolean {
    const { recordId, sink, deviceKey, epoch, seq, reason, atUnixMs, message } = draft;
    const what = [recordId, sink, deviceKey, epoch, seq, reason, atUnixMs];
    const added = this.#add.run(...what, message?.topic ?? null, message?.payload ?? null);
    if (added.changes === 0) return false;
    this.#prune.run(Number(added.lastInsertRowid) - QUARANTINE_KEPT);
    this.#keptBytes += message?.payload.length ?? 0;
    if (this.#keptBytes > this.#bytesMax) this.#shrink();
    return true;
  }

  /** To be sent again. Errors: E_QUARANTINE_UNKNOWN (also: its bytes are no longer kept, or it is not aside). */
  requeue(sink: string, recordId: number): void {
    const { changes } = this.#again.run(QuarantineState.requeued, recordId, sink, QuarantineState.aside);
    if (changes === 0) throw new GatewayError("E_QUARANTINE_UNKNOWN", `sink ${sink} has no record ${recordId} aside`);
  }

  /** What came of it. @param refusal why it was refused again; null: it was taken. */
  settle(sink: string, recordId: number, refusal: string | null): void {
    const state = refusal === null ? QuarantineState.delivered : QuarantineState.aside;
    this.#move.run(state, refusal ?? "delivered after it was requeued", sink, recordId, QuarantineState.requeued);
  }

  /** Nothing of that sink is kept. @returns how many went. */
  forget(sink: string): number {
    return this.#forget.run(sink).changes;
  }

  #shrink(): void {
    for (this.#keptBytes = this.#count(); this.#keptBytes > this.#bytesMax; this.#keptBytes = this.#count()) {
      if (this.#strip.run().changes === 0) return;
    }
  }

  #count(): number {
    return this.#kept.get()?.bytes ?? 0;
  }
}
