/**
 * How far each sink has come, in memory and in the table. Sinks move their cursors far more often than they are
 * written: a cursor lost in a crash only makes its sink see repeats.
 *
 *   saveCursor ──▶ memory, dirty ──with the next transaction──▶ table
 */
import { GatewayError } from "../core/errors.js";
import type { SinkStart } from "../model/spool.js";
import type { CursorRow, CursorsTable } from "./cursors-table.js";
import { cursorBefore, type StoredTimes } from "./start-point.js";

/** The cursor of the history: an internal sink that never holds records back when space is short. */
export const HISTORY_SINK = "$history";

/** Every cursor of the spool; written by the transaction that comes next, never by one of its own. */
export class Cursors {
  readonly #table: CursorsTable;
  readonly #rows = new Map<string, CursorRow>();
  readonly #dirty = new Set<string>();
  #isOpen = false;

  constructor(table: CursorsTable) {
    this.#table = table;
    for (const row of table.all()) this.#rows.set(row.sink, row);
  }

  /** Inside a transaction: make the cursors fit the configured sinks. Unknown ones are kept, and hold nothing. */
  open(sinks: readonly SinkStart[], stored: StoredTimes): ReadonlyMap<string, number> {
    const configured = new Set(sinks.map((sink) => sink.name));
    for (const row of this.#rows.values()) {
      if (!configured.has(row.sink) && !row.isOrphaned) this.#put({ ...row, isOrphaned: true });
    }
    for (const { name, start, holdMaxAgeMs, holdMaxBytes } of sinks) {
      const cursor = this.#rows.get(name)?.cursor ?? firstCursor(start, stored);
      this.#put({ sink: name, cursor, isOrphaned: false, holdMaxAgeMs, holdMaxBytes });
    }
    this.#isOpen = true;
    return new Map(sinks.map(({ name }) => [name, this.#rows.get(name)?.cursor ?? 0]));
  }

  /** Inside a transaction. Errors: E_SINK_UNKNOWN, E_SINK_CONFIGURED. */
  forget(sink: string): void {
    const row = this.#rows.get(sink);
    if (row === undefined) throw new GatewayError("E_SINK_UNKNOWN", `no place is kept for a sink called "${sink}"`);
    if (!row.isOrphaned) throw new GatewayError("E_SINK_CONFIGURED", `"${sink}" is in the configuration`);
    this.#table.delete(sink);
    this.#rows.delete(sink);
    this.#dirty.delete(sink);
  }

  /** Until the sinks are known nothing may be deleted. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Move forward in memory; back, or for a sink nobody opened, is ignored. */
  save(sink: string, recordId: number): void {
    const row = this.#rows.get(sink);
    if (row === undefined || recordId <= row.cursor) return;
    this.#rows.set(sink, { ...row, cursor: recordId });
    this.#dirty.add(sink);
  }

  /** Inside a transaction. `written` must follow once it is durable. */
  write(): void {
    for (const sink of this.#dirty) {
      const row = this.#rows.get(sink);
      if (row !== undefined) this.#table.put(row);
    }
  }

  written(): void {
    this.#dirty.clear();
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** Everything up to here was taken by every sink that counts. `lastId` when none does. */
  heldFrom(lastId: number, isHistoryCounted: boolean): number {
    let lowest = lastId;
    for (const row of this.#rows.values()) {
      if (row.isOrphaned || (row.sink === HISTORY_SINK && !isHistoryCounted)) continue;
      lowest = Math.min(lowest, row.cursor);
    }
    return lowest;
  }

  rows(): Iterable<CursorRow> {
    return this.#rows.values();
  }

  #put(row: CursorRow): void {
    this.#rows.set(row.sink, row);
    this.#table.put(row);
  }
}

function firstCursor(start: SinkStart["start"], stored: StoredTimes): number {
  if (start === "now") return stored.lastId;
  return start === "oldest" ? stored.oldestId - 1 : cursorBefore(start, stored);
}
