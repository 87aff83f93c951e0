/**
 * The signals that the history knows, and their readings that are not packed yet.
 *
 *   open readings   │ in the head on disk │ only in memory │         a flush moves the line to the end,
 *                   0            headCount           t.length       a packing takes readings away from the front
 *
 * Bounded: signals per device and in all, and the bytes of open readings (the engine stops reading the spool at that).
 */
import type { Quality } from "../telemetry/readings.js";
import type { Value } from "../telemetry/value.js";
import { ByteReader, ByteWriter } from "./history-bytes.js";
import { type Columns, packColumns, sortColumns, unpackColumns } from "./history-columns.js";
import { SIGNAL_IDS } from "./history-levels.js";
import type { SignalRow } from "./history-tables.js";

/** The newest reading of a signal. */
export interface LastReading {
  /** Unix ms. */
  readonly t: number;
  readonly v: Value;
  readonly q: Quality;
}

export interface SignalLimits {
  readonly signalsPerDeviceMax: number;
  readonly signalsMax: number;
}

/** About what a reading costs in memory, in bytes, without its text. */
const READING_BYTES = 32;

const QUALITIES: readonly Quality[] = ["good", "uncertain", "bad"];

/** One signal of one device. */
export class HistorySignal {
  readonly id: number;
  readonly device: string;
  readonly name: string;
  unit: string;
  last: LastReading | null;
  t: number[] = [];
  v: Value[] = [];
  /** So many of the open readings are in the head on disk. */
  headCount = 0;
  /** Its row has to be written. */
  isRowDirty = false;
  /** The row is not there yet. */
  isNew: boolean;
  /** The reading taken last, in the order they came. */
  #takenUnixMs: number | null;
  #isBroken = false;

  constructor(row: Pick<SignalRow, "id" | "device" | "signal" | "unit">, last: LastReading | null, isNew: boolean) {
    this.id = row.id;
    this.device = row.device;
    this.name = row.signal;
    this.unit = row.unit;
    this.last = last;
    this.isNew = isNew;
    this.#takenUnixMs = last?.t ?? null;
  }

  /** @returns the bytes of memory it takes. */
  add(t: number, v: Value): number {
    this.t.push(t);
    this.v.push(v);
    this.#takenUnixMs = t;
    this.#isBroken = false;
    return bytesOf(v);
  }

  /** Readings are known to be missing behind the one taken last. @returns the bytes of memory that takes. */
  breakOff(): number {
    if (this.#takenUnixMs === null || this.#isBroken) return 0;
    const bytes = this.add(this.#takenUnixMs + 1, null);
    this.#isBroken = true;
    return bytes;
  }

  /** Is there anything that a flush has to write? */
  get hasPending(): boolean {
    return this.headCount < this.t.length;
  }

  /** The open readings in the order of time. */
  sorted(): Columns {
    return sortColumns({ t: this.t, v: this.v });
  }

  /** Readings before an instant are packed; all others are in the head. @returns the bytes of memory they took. */
  dropBefore(unixMs: number): number {
    let bytes = 0;
    const left: Columns = { t: [], v: [] };
    this.t.forEach((t, i) => {
      const v = this.v[i] ?? null;
      if (t < unixMs) {
        bytes += bytesOf(v);
        return;
      }
      left.t.push(t);
      left.v.push(v);
    });
    this.t = left.t;
    this.v = left.v;
    this.headCount = left.t.length;
    return bytes;
  }

  row(): SignalRow {
    const { id, device, name: signal, unit, last } = this;
    if (last === null) return { id, device, signal, unit, last_ms: null, last_v: null, last_q: null };
    return { id, device, signal, unit, last_ms: last.t, last_v: JSON.stringify(last.v), last_q: last.q };
  }
}

/** All signals, by device and name and by id. */
export class SignalBook {
  readonly #limits: SignalLimits;
  readonly #devices = new Map<string, Map<string, HistorySignal>>();
  readonly #byId = new Map<number, HistorySignal>();
  #lastId: number;
  /** Readings that were not kept because their signal was one too many. */
  refusedCount = 0;

  constructor(rows: readonly SignalRow[], lastId: number, limits: SignalLimits) {
    this.#limits = limits;
    this.#lastId = lastId;
    for (const row of rows) this.#put(new HistorySignal(row, lastOf(row), false));
  }

  get count(): number {
    return this.#byId.size;
  }

  all(): Iterable<HistorySignal> {
    return this.#byId.values();
  }

  byId(id: number): HistorySignal | undefined {
    return this.#byId.get(id);
  }

  find(device: string, name: string): HistorySignal | undefined {
    return this.#devices.get(device)?.get(name);
  }

  of(device: string): Iterable<HistorySignal> {
    return this.#devices.get(device)?.values() ?? [];
  }

  /** The signal of that name, made at its first reading; null when there are too many. */
  obtain(device: string, name: string, unit: string): HistorySignal | null {
    const signals = this.#devices.get(device);
    const known = signals?.get(name);
    if (known !== undefined) {
      if (known.unit !== unit) {
        known.unit = unit;
        known.isRowDirty = true;
      }
      return known;
    }
    const isTooMany = (signals?.size ?? 0) >= this.#limits.signalsPerDeviceMax || this.count >= this.#limits.signalsMax;
    if (isTooMany || this.#lastId + 1 >= SIGNAL_IDS) {
      this.refusedCount += 1;
      return null;
    }
    this.#lastId += 1;
    const signal = new HistorySignal({ id: this.#lastId, device, signal: name, unit }, null, true);
    this.#put(signal);
    return signal;
  }

  drop(signal: HistorySignal): void {
    this.#byId.delete(signal.id);
    const signals = this.#devices.get(signal.device);
    signals?.delete(signal.name);
    if (signals?.size === 0) this.#devices.delete(signal.device);
  }

  #put(signal: HistorySignal): void {
    this.#byId.set(signal.id, signal);
    const signals = this.#devices.get(signal.device) ?? new Map<string, HistorySignal>();
    signals.set(signal.name, signal);
    this.#devices.set(signal.device, signals);
  }
}

/** One piece of a row of the head: what one signal added. */
export interface HeadPiece {
  readonly signalId: number;
  readonly quality: Quality;
  readonly columns: Columns;
}

/**
 * A row of the head:  id │ quality of the newest │ length │ blob     … for each signal that has something to add
 */
export function packHead(pieces: Iterable<HeadPiece>): Uint8Array {
  const out = new ByteWriter();
  for (const { signalId, quality, columns } of pieces) {
    const blob = packColumns(columns);
    out.varint(signalId);
    out.u8(Math.max(0, QUALITIES.indexOf(quality)));
    out.varint(blob.length);
    out.bytes(blob);
  }
  return out.take();
}

/** Throws DamagedBlob. */
export function unpackHead(body: Uint8Array): HeadPiece[] {
  const from = new ByteReader(body);
  const pieces: HeadPiece[] = [];
  while (!from.isAtEnd) {
    const signalId = from.varint();
    const quality = QUALITIES[from.u8()] ?? "uncertain";
    pieces.push({ signalId, quality, columns: unpackColumns(from.bytes(from.varint())) });
  }
  return pieces;
}

function bytesOf(v: Value): number {
  return typeof v === "string" ? READING_BYTES + 2 * v.length : READING_BYTES;
}

function lastOf({ last_ms, last_v, last_q }: SignalRow): LastReading | null {
  if (last_ms === null || last_v === null) return null;
  const v: unknown = JSON.parse(last_v);
  const isValue = typeof v === "number" || typeof v === "string" || typeof v === "boolean";
  return { t: last_ms, v: isValue ? v : null, q: QUALITIES.find((quality) => quality === last_q) ?? "uncertain" };
}
