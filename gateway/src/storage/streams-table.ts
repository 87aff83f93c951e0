/**
 * The table `streams`: the durable mark of every (device, epoch).
 */
import type { Database, Statement } from "better-sqlite3";
import type { StreamRow, StreamState } from "../spool/tables.js";

interface Row {
  device_key: number;
  epoch: number;
  mark: number;
  announced: number;
  state: StreamState;
  ended: number;
  rollback_epoch: number | null;
  rollback_from: number | null;
  rollback_to: number | null;
}

type Values = [number, number, number, number, number, number, number | null, number | null, number | null];

type Advance = [number, number, number, number, number, StreamState, number | null];

/** Queries on streams; inside a transaction of the caller. */
export class StreamsTable {
  readonly #advance: Statement<Advance>;
  readonly #get: Statement<[number, number], Row>;
  readonly #open: Statement<[number], Row>;
  readonly #put: Statement<Values>;
  readonly #known: Statement<[number], { epoch: number }>;
  readonly #prune: Statement<[number, number, number]>;

  constructor(db: Database) {
    this.#get = db.prepare("SELECT * FROM streams WHERE device_key = ? AND epoch = ?");
    this.#open = db.prepare("SELECT * FROM streams WHERE device_key = ? AND state < 2 ORDER BY id");
    // What nearly every commit does to a stream. It names no column of an index, so none of them is written again.
    this.#advance = db.prepare(
      `UPDATE streams SET mark = ?, announced = ?, ended = ?
       WHERE device_key = ? AND epoch = ? AND state = ? AND rollback_epoch IS ?`,
    );
    this.#put = db.prepare(
      `INSERT INTO streams
         (device_key, epoch, mark, announced, state, ended, rollback_epoch, rollback_from, rollback_to)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (device_key, epoch) DO UPDATE SET mark = excluded.mark, announced = excluded.announced,
         state = excluded.state, ended = excluded.ended, rollback_epoch = excluded.rollback_epoch,
         rollback_from = excluded.rollback_from, rollback_to = excluded.rollback_to`,
    );
    this.#known = db.prepare("SELECT epoch FROM streams WHERE epoch = ? LIMIT 1");
    this.#prune = db.prepare(
      `DELETE FROM streams WHERE id IN
         (SELECT id FROM streams WHERE device_key = ? AND state = ? ORDER BY id DESC LIMIT -1 OFFSET ?)`,
    );
  }

  get(deviceKey: number, epoch: number): StreamRow | null {
    const row = this.#get.get(deviceKey, epoch);
    return row === undefined ? null : streamOf(row);
  }

  open(deviceKey: number): StreamRow[] {
    return this.#open.all(deviceKey).map(streamOf);
  }

  put(row: StreamRow): void {
    const { rollback } = row;
    const ended = row.isEnded ? 1 : 0;
    const { mark, announced, deviceKey, epoch, state } = row;
    // A rollback is told once and then gone: its epoch is enough to know that it did not change.
    const advanced = this.#advance.run(mark, announced, ended, deviceKey, epoch, state, rollback?.epoch ?? null);
    if (advanced.changes > 0) return;
    this.#put.run(
      row.deviceKey,
      row.epoch,
      row.mark,
      row.announced,
      row.state,
      row.isEnded ? 1 : 0,
      rollback?.epoch ?? null,
      rollback?.fromSeq ?? null,
      rollback?.toSeq ?? null,
    );
  }

  isEpochKnown(epoch: number): boolean {
    return this.#known.get(epoch) !== undefined;
  }

  prune(deviceKey: number, state: StreamState, keepCount: number): void {
    this.#prune.run(deviceKey, state, keepCount);
  }
}

function streamOf(row: Row): StreamRow {
  const { rollback_epoch: epoch, rollback_from: fromSeq, rollback_to: toSeq } = row;
  return {
    deviceKey: row.device_key,
    epoch: row.epoch,
    mark: row.mark,
    announced: row.announced,
    state: row.state,
    isEnded: row.ended === 1,
    rollback: epoch === null || fromSeq === null || toSeq === null ? null : { epoch, fromSeq, toSeq },
  };
}
