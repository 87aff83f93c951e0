/**
 * From records of the spool to readings in the history.
 *
 *   telemetry ─▶ readings ─▶ open readings of each signal; a bad one as null
 *   gap       ─▶ every signal of the device breaks off: a null behind its reading taken last
 *   others    ─▶ nothing
 *
 * A device decides what its readings say and when they were measured, so both are bounded here.
 */
import type { Catalog } from "@tidegate/proto";
import { type GapBody, RecordKind, type StoredRecord } from "../model/record.js";
import { type Reading, readingsOf } from "../telemetry/readings.js";
import type { Value } from "../telemetry/value.js";
import { DAY_MS } from "./history-levels.js";
import type { HistorySignal, SignalBook } from "./history-signals.js";

/** A device's clock may run ahead of the gateway's by this; what claims to be later is left out. */
const AHEAD_MS_MAX = DAY_MS;

/** A reading from further ahead than this does not keep a newer one from being the latest. */
const LATEST_AHEAD_MS_MAX = 60_000;

/** Longer texts are cut: a chart shows no more, and the spool and the sinks have the whole. */
const TEXT_CHARACTERS_MAX = 1_024;

/** Takes records one by one. */
export class HistoryIntake {
  readonly #signals: SignalBook;
  readonly #keepMsMax: number;
  /** Readings taken since start. */
  readingCount = 0;
  /** Readings that were measured too long ago, or in the future. */
  outsideCount = 0;

  /** @param keepMsMax how far back the coarsest level goes. */
  constructor(signals: SignalBook, keepMsMax: number) {
    this.#signals = signals;
    this.#keepMsMax = keepMsMax;
  }

  /** @returns the bytes of memory that its readings take. */
  take(record: StoredRecord, catalog: Catalog | null): number {
    if (record.kind === RecordKind.telemetry) return this.#telemetry(record, catalog);
    if (record.kind === RecordKind.gap && isForEverybody(record.body)) return this.#gap(record.device);
    return 0;
  }

  #telemetry(record: StoredRecord, catalog: Catalog | null): number {
    const { device, receivedUnixMs } = record;
    let bytes = 0;
    for (const reading of readingsOf(record, catalog) ?? []) {
      const isInside = reading.t <= receivedUnixMs + AHEAD_MS_MAX && reading.t >= receivedUnixMs - this.#keepMsMax;
      if (!isInside) {
        this.outsideCount += 1;
        continue;
      }
      const signal = this.#signals.obtain(device, reading.signal.key, reading.signal.unit);
      if (signal === null) continue;
      const v = shortened(reading.v);
      noteLast(signal, { ...reading, v }, receivedUnixMs);
      bytes += signal.add(reading.t, reading.q === "bad" ? null : v);
      this.readingCount += 1;
    }
    return bytes;
  }

  #gap(device: string): number {
    let bytes = 0;
    for (const signal of this.#signals.of(device)) bytes += signal.breakOff();
    return bytes;
  }
}

/** The newest reading by its own time, unless the one held claims to be from the future. */
function noteLast(signal: HistorySignal, { t, v, q }: Reading, receivedUnixMs: number): void {
  const { last } = signal;
  if (last !== null && t < last.t && last.t <= receivedUnixMs + LATEST_AHEAD_MS_MAX) return;
  signal.last = { t, v, q };
  signal.isRowDirty = true;
}

function shortened(v: Value): Value {
  return typeof v === "string" && v.length > TEXT_CHARACTERS_MAX ? `${v.slice(0, TEXT_CHARACTERS_MAX - 1)}…` : v;
}

/** A gap of one sink alone is none of the history's. */
function isForEverybody(body: Uint8Array): boolean {
  const gap = JSON.parse(new TextDecoder().decode(body)) as Partial<GapBody>; // written by the spool
  return gap.sink === null || gap.sink === undefined;
}
