/**
 * The tables of history.db: prepared statements, and the bytes that each level holds.
 */
import type { Database, Statement } from "better-sqlite3";
import { Buckets, mergeBuckets, packBuckets, unpackBuckets } from "./history-buckets.js";
import { DamagedBlob } from "./history-bytes.js";
import { type Columns, mergeColumns, packColumns, unpackColumns } from "./history-columns.js";
import { type FigureLevel, firstKey, keyOf, type Level, PARTS_MAX, slotOfKey } from "./history-levels.js";

/** How far the spool was read, and where each level begins. Kept in memory, written with every transaction. */
export interface Progress {
  /** Records up to here were taken. */
  cursor: number;
  /** Name of the spool's incarnation that the cursor belongs to; empty at first. */
  store: string;
  /** When the newest record taken was received. */
  seenUnixMs: number;
  /**
   * Of a spool that was restored from a backup: records up to this id that were received until `knownUnixMs` were taken
   * before, under their old ids.
   */
  knownToId: number;
  knownUnixMs: number;
  /** Everything before was thinned away. */
  readonly fromUnixMs: Record<Level, number>;
  readonly bytes: Record<Level, number>;
}

/** Of a signal, everything before an hour in rows of the head up to one is in its blobs. */
export interface PackedMark {
  readonly headId: number;
  /** Hours since 1970. */
  readonly beforeHour: number;
}

/** A signal's row. */
export interface SignalRow {
  readonly id: number;
  readonly device: string;
  readonly signal: string;
  readonly unit: string;
  readonly last_ms: number | null;
  /** JSON. */
  readonly last_v: string | null;
  readonly last_q: string | null;
}

interface ProgressRow {
  cursor: number;
  store: string;
  seen_ms: number;
  known_to: number;
  known_ms: number;
  raw_from_ms: number;
  minutes_from_ms: number;
  hours_from_ms: number;
  raw_bytes: number;
  minutes_bytes: number;
  hours_bytes: number;
}

interface RawRow {
  key: number;
  n: number;
  body: Uint8Array;
}

interface FigureStatements {
  readonly get: Statement<[number], { body: Uint8Array }>;
  readonly put: Statement<[number, Uint8Array]>;
}

interface LevelStatements {
  readonly bounds: Statement<[], { first: number | null; last: number | null }>;
  readonly bytes: Statement<[number], { bytes: number | null }>;
  readonly drop: Statement<[number]>;
}

/** The one user of history.db's SQL. */
export class HistoryTables {
  readonly #db: Database;
  readonly #counts: Statement<[number, number], { n: number }>;
  readonly #rawParts: Statement<[number, number], RawRow>;
  readonly #putRaw: Statement<[number, number, Uint8Array]>;
  readonly #dropRaw: Statement<[number, number]>;
  readonly #figures: Readonly<Record<FigureLevel, FigureStatements>>;
  readonly #levels: Readonly<Record<Level, LevelStatements>>;
  readonly #addHead: Statement<[Uint8Array]>;
  readonly #dropHead: Statement<[number]>;
  readonly #putPacked: Statement<[number, number, number]>;
  readonly #putSignal: Statement<[SignalRow]>;
  readonly #putProgress: Statement<[ProgressRow]>;
  /** How often a blob was left out because it meant nothing; one that is asked for again counts again. */
  damagedCount = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#counts = db.prepare("SELECT n FROM raw WHERE key BETWEEN ? AND ?");
    this.#rawParts = db.prepare("SELECT key, n, body FROM raw WHERE key BETWEEN ? AND ? ORDER BY key");
    this.#putRaw = db.prepare("INSERT INTO raw (key, n, body) VALUES (?, ?, ?)");
    this.#dropRaw = db.prepare("DELETE FROM raw WHERE key BETWEEN ? AND ?");
    this.#figures = { minutes: figureStatements(db, "minutes"), hours: figureStatements(db, "hours") };
    this.#levels = {
      raw: levelStatements(db, "raw"),
      minutes: levelStatements(db, "minutes"),
      hours: levelStatements(db, "hours"),
    };
    this.#addHead = db.prepare("INSERT INTO head (body) VALUES (?)");
    this.#dropHead = db.prepare("DELETE FROM head WHERE id = ?");
    this.#putPacked = db.prepare("INSERT OR REPLACE INTO packed (signal, head, before_hour) VALUES (?, ?, ?)");
    this.#putSignal = db.prepare(
      `INSERT OR REPLACE INTO signals (id, device, signal, unit, last_ms, last_v, last_q)
       VALUES ($id, $device, $signal, $unit, $last_ms, $last_v, $last_q)`,
    );
    this.#putProgress = db.prepare(
      `UPDATE progress SET cursor = $cursor, store = $store, seen_ms = $seen_ms, known_to = $known_to,
         known_ms = $known_ms, raw_from_ms = $raw_from_ms, minutes_from_ms = $minutes_from_ms,
         hours_from_ms = $hours_from_ms, raw_bytes = $raw_bytes, minutes_bytes = $minutes_bytes,
         hours_bytes = $hours_bytes`,
    );
  }

  /** All of the work or none of it. */
  transaction<T>(work: () => T): T {
    return this.#db.transaction(work).immediate();
  }

  progress(): Progress {
    const row = this.#db.prepare<[], ProgressRow>("SELECT * FROM progress").get();
    return {
      cursor: row?.cursor ?? 0,
      store: row?.store ?? "",
      seenUnixMs: row?.seen_ms ?? 0,
      knownToId: row?.known_to ?? 0,
      knownUnixMs: row?.known_ms ?? 0,
      fromUnixMs: {
        raw: row?.raw_from_ms ?? 0,
        minutes: row?.minutes_from_ms ?? 0,
        hours: row?.hours_from_ms ?? 0,
      },
      bytes: { raw: row?.raw_bytes ?? 0, minutes: row?.minutes_bytes ?? 0, hours: row?.hours_bytes ?? 0 },
    };
  }

  putProgress({ fromUnixMs, bytes, ...progress }: Progress): void {
    this.#putProgress.run({
      cursor: progress.cursor,
      store: progress.store,
      seen_ms: progress.seenUnixMs,
      known_to: progress.knownToId,
      known_ms: progress.knownUnixMs,
      raw_from_ms: fromUnixMs.raw,
      minutes_from_ms: fromUnixMs.minutes,
      hours_from_ms: fromUnixMs.hours,
      raw_bytes: bytes.raw,
      minutes_bytes: bytes.minutes,
      hours_bytes: bytes.hours,
    });
  }

  signals(): SignalRow[] {
    return this.#db.prepare<[], SignalRow>("SELECT * FROM signals").all();
  }

  /** The highest id ever given to a signal. */
  lastSignalId(): number {
    return (
      this.#db.prepare<[], { seq: number }>("SELECT seq FROM sqlite_sequence WHERE name = 'signals'").get()?.seq ?? 0
    );
  }

  putSignal(row: SignalRow): void {
    this.#putSignal.run(row);
  }

  dropSignal(id: number): void {
    this.#db.prepare("DELETE FROM signals WHERE id = ?").run(id);
    this.#db.prepare("DELETE FROM packed WHERE signal = ?").run(id);
  }

  heads(): { readonly id: number; readonly body: Uint8Array }[] {
    return this.#db.prepare<[], { id: number; body: Uint8Array }>("SELECT id, body FROM head ORDER BY id").all();
  }

  /** @returns the row's id: they rise. */
  addHead(body: Uint8Array): number {
    return Number(this.#addHead.run(body).lastInsertRowid);
  }

  /** Inside a transaction: these rows hold nothing that is not packed. */
  dropHeads(ids: readonly number[]): void {
    for (const id of ids) this.#dropHead.run(id);
  }

  /** What of the head is packed, by signal. */
  packed(): Map<number, PackedMark> {
    const rows = this.#db.prepare<[], PackedMark & { signal: number }>(
      "SELECT signal, head AS headId, before_hour AS beforeHour FROM packed",
    );
    return new Map(rows.all().map(({ signal, ...mark }) => [signal, mark]));
  }

  /** Inside a transaction: of that signal, everything before an hour in rows of the head up to one is packed. */
  putPacked(signalId: number, headId: number, beforeHour: number): void {
    this.#putPacked.run(signalId, headId, beforeHour);
  }

  /** How many readings of a signal one hour holds; none of them is read. */
  rawCount(slot: number, signalId: number): number {
    const first = keyOf("raw", slot, signalId);
    return this.#counts.all(first, first + PARTS_MAX - 1).reduce((sum, { n }) => sum + n, 0);
  }

  /** The readings of a signal in one hour, in the order of time. */
  raw(slot: number, signalId: number): Columns {
    const first = keyOf("raw", slot, signalId);
    return this.#joined(this.#rawParts.all(first, first + PARTS_MAX - 1));
  }

  /** Inside a transaction. @returns by how many bytes the level grew. */
  addRaw(slot: number, signalId: number, columns: Columns): number {
    const first = keyOf("raw", slot, signalId);
    const end = first + PARTS_MAX - 1;
    const parts = this.#rawParts.all(first, end);
    if (parts.length < PARTS_MAX) {
      const body = packColumns(columns);
      this.#putRaw.run(first + parts.length, columns.t.length, body);
      return body.length;
    }
    const whole = mergeColumns(this.#joined(parts), columns);
    const body = packColumns(whole);
    this.#dropRaw.run(first, end);
    this.#putRaw.run(first, whole.t.length, body);
    return body.length - parts.reduce((sum, part) => sum + part.body.length, 0);
  }

  figures(level: FigureLevel, slot: number, signalId: number): Buckets {
    const row = this.#figures[level].get.get(keyOf(level, slot, signalId));
    return (row === undefined ? null : this.#sound(() => unpackBuckets(row.body))) ?? new Buckets();
  }

  /** Inside a transaction: merge figures into a blob. @returns by how many bytes the level grew. */
  addFigures(level: FigureLevel, slot: number, signalId: number, buckets: Buckets): number {
    const key = keyOf(level, slot, signalId);
    const { get, put } = this.#figures[level];
    const before = get.get(key);
    const known = before === undefined ? null : this.#sound(() => unpackBuckets(before.body));
    const body = packBuckets(known === null ? buckets : mergeBuckets(known, buckets));
    put.run(key, body);
    return body.length - (before?.body.length ?? 0);
  }

  /** First and last slot that hold anything; null when none does. */
  slots(level: Level): { readonly first: number; readonly last: number } | null {
    const bounds = this.#levels[level].bounds.get();
    if (bounds === undefined || bounds.first === null || bounds.last === null) return null;
    return { first: slotOfKey(level, bounds.first), last: slotOfKey(level, bounds.last) };
  }

  /** Inside a transaction: delete everything before a slot. @returns how many bytes of blobs went. */
  dropBefore(level: Level, slot: number): number {
    const { bytes, drop } = this.#levels[level];
    const key = firstKey(level, slot);
    const freed = bytes.get(key)?.bytes ?? 0;
    drop.run(key);
    return freed;
  }

  /** Bytes in pages that hold something. */
  usedBytes(): number {
    return (this.#pragma("page_count") - this.#pragma("freelist_count")) * this.#pragma("page_size");
  }

  #joined(parts: readonly RawRow[]): Columns {
    let whole: Columns = { t: [], v: [] };
    for (const { body } of parts) {
      const part = this.#sound(() => unpackColumns(body));
      if (part !== null) whole = mergeColumns(whole, part);
    }
    return whole;
  }

  #sound<T>(unpack: () => T): T | null {
    try {
      return unpack();
    } catch (thrown) {
      if (!(thrown instanceof DamagedBlob)) throw thrown;
      this.damagedCount += 1;
      return null;
    }
  }

  #pragma(name: string): number {
    return Number(this.#db.pragma(name, { simple: true }));
  }
}

function figureStatements(db: Database, level: FigureLevel): FigureStatements {
  return {
    get: db.prepare(`SELECT body FROM ${level} WHERE key = ?`),
    put: db.prepare(`INSERT OR REPLACE INTO ${level} (key, body) VALUES (?, ?)`),
  };
}

function levelStatements(db: Database, level: Level): LevelStatements {
  return {
    bounds: db.prepare(`SELECT (SELECT min(key) FROM ${level}) AS first, (SELECT max(key) FROM ${level}) AS last`),
    bytes: db.prepare(`SELECT sum(length(body)) AS bytes FROM ${level} WHERE key < ?`),
    drop: db.prepare(`DELETE FROM ${level} WHERE key < ?`),
  };
}
