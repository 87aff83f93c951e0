/**
 * Gathers readings into columns and cuts them into Telemetry messages.
 *
 *   report 21.4 │ report 21.5 │ report 21.5 … ──▶ { base, series: [{ signal, period_us, floats: [21.4, 21.5, 21.5] }] }
 *
 * One series per signal and quality; the time of a reading costs nothing when the readings are regular, one or two
 * bytes otherwise. A message is cut before it would pass its size, and before a time would have to go backwards.
 * Pure: the owner decides when to take what is there.
 */
import {
  SAMPLES_PER_MESSAGE_MAX,
  SERIES_PER_TELEMETRY_MAX,
  type Series,
  type SeriesValues,
  type Telemetry,
  UPTIME_MS_MAX,
} from "@tidegate/proto";
import { varintBytes } from "./frame-head.js";
import type { SignalCodec, WireValue } from "./signal.js";

/** Telemetry with how many readings it carries. */
export interface CutBatch {
  readonly telemetry: Telemetry;
  readonly samples: number;
}

interface Column {
  readonly codec: SignalCodec;
  readonly quality: number;
  readonly timesMs: number[];
  readonly values: WireValue["value"][];
}

/** What one series costs beside its readings, in bytes, at most: tags, lengths, signal, period, quality. */
const SERIES_OVERHEAD_BYTES = 32;
/** The same for the message: tags, lengths, base, boot nonce. */
const MESSAGE_OVERHEAD_BYTES = 32;
/** A regular column that does not begin at the base gets a message of its own when that saves more than it costs. */
const OWN_MESSAGE_SAMPLES_MIN = 24;
const U32_MAX = 0xffff_ffff;

/** Readings on one time line: the device's uptime, or Unix time. */
export class Batch {
  readonly #timeline: "uptime" | "unix";
  readonly #bytesMax: number;
  readonly #bootNonce: number;
  #columns = new Map<number, Column>();
  #bytes = MESSAGE_OVERHEAD_BYTES;
  #samples = 0;
  #baseMs = 0;

  /**
   * @param timeline what the times of readings mean
   * @param bytesMax size of a message at which it is cut, in bytes
   * @param bootNonce written into every message, so that it keeps its meaning after a restart; 0: left out
   */
  constructor(timeline: "uptime" | "unix", bytesMax: number, bootNonce: number) {
    this.#timeline = timeline;
    this.#bytesMax = bytesMax;
    this.#bootNonce = bootNonce;
  }

  get samples(): number {
    return this.#samples;
  }

  /**
   * Add a reading.
   *
   * @param atMs its time on this time line, in whole ms, not wrapped
   * @returns messages that had to be cut before it, usually none
   */
  add(codec: SignalCodec, quality: number, atMs: number, wire: WireValue): CutBatch[] {
    const before = this.#mustCutFor(codec, quality, atMs, wire.bytes) ? this.cut() : [];
    if (this.#samples === 0) this.#baseMs = atMs;
    const key = codec.id * 4 + quality;
    let column = this.#columns.get(key);
    if (!column) {
      column = { codec, quality, timesMs: [], values: [] };
      this.#columns.set(key, column);
      this.#bytes += SERIES_OVERHEAD_BYTES;
    }
    this.#bytes += wire.bytes + varintBytes(atMs - (column.timesMs.at(-1) ?? this.#baseMs));
    column.timesMs.push(atMs);
    column.values.push(wire.value);
    this.#samples++;
    return before;
  }

  /** Take everything gathered, as messages. */
  cut(): CutBatch[] {
    const columns = [...this.#columns.values()];
    const baseMs = this.#baseMs;
    this.#columns = new Map();
    this.#bytes = MESSAGE_OVERHEAD_BYTES;
    this.#samples = 0;
    if (columns.length === 0) return [];
    const alone = columns.filter((column) => deservesOwnMessage(column, baseMs));
    const together = columns.filter((column) => !alone.includes(column));
    const messages = alone.map((column) => this.#message([column], column.timesMs[0] ?? baseMs));
    return together.length === 0 ? messages : [this.#message(together, baseMs), ...messages];
  }

  #mustCutFor(codec: SignalCodec, quality: number, atMs: number, bytes: number): boolean {
    if (this.#samples === 0) return false;
    const column = this.#columns.get(codec.id * 4 + quality);
    const lastMs = column?.timesMs.at(-1) ?? this.#baseMs;
    const isBackwards = atMs < lastMs || atMs - lastMs > U32_MAX;
    const isFull = this.#samples >= SAMPLES_PER_MESSAGE_MAX || this.#columns.size >= SERIES_PER_TELEMETRY_MAX;
    const growth = bytes + varintBytes(Math.max(0, atMs - lastMs)) + (column ? 0 : SERIES_OVERHEAD_BYTES);
    return isBackwards || isFull || this.#bytes + growth > this.#bytesMax;
  }

  #message(columns: readonly Column[], baseMs: number): CutBatch {
    const base =
      this.#timeline === "unix"
        ? ({ kind: "unix", unixMs: baseMs } as const)
        : ({ kind: "uptime", uptimeMs: baseMs % (UPTIME_MS_MAX + 1) } as const);
    const series = columns.map((column) => seriesOf(column, baseMs));
    const samples = columns.reduce((sum, column) => sum + column.values.length, 0);
    return { telemetry: { base, series, bootNonce: this.#bootNonce }, samples };
  }
}

function deservesOwnMessage(column: Column, baseMs: number): boolean {
  const { timesMs, codec } = column;
  if (timesMs[0] === baseMs || timesMs.length < OWN_MESSAGE_SAMPLES_MIN) return false;
  return periodUs(timesMs, codec.jitterMs) > 0;
}

function seriesOf(column: Column, baseMs: number): Series {
  const { codec, quality, timesMs, values } = column;
  const common = { signal: codec.id, quality, values: valuesOf(codec.field, values) };
  const period = timesMs[0] === baseMs ? periodUs(timesMs, codec.jitterMs) : 0;
  if (period > 0) return { ...common, dtMs: [], periodUs: period };
  if (timesMs.every((atMs) => atMs === baseMs)) return { ...common, dtMs: [], periodUs: 0 };
  const dtMs = timesMs.map((atMs, i) => atMs - (timesMs[i - 1] ?? baseMs));
  return { ...common, dtMs, periodUs: 0 };
}

/**
 * The period of regular readings in µs; 0 when they are not regular.
 *
 * @param jitterMs how far one may lie beside the raster; 0: not at all, so that no time changes
 */
export function periodUs(timesMs: readonly number[], jitterMs: number): number {
  const first = timesMs[0] ?? 0;
  const steps = timesMs.length - 1;
  const lastMs = timesMs[steps] ?? first;
  if (steps < 1 || lastMs <= first) return 0;
  const periodUs = Math.round(((lastMs - first) * 1000) / steps);
  if (periodUs > U32_MAX) return 0;
  const isRegular = timesMs.every((atMs, i) => Math.abs(first + (i * periodUs) / 1000 - atMs) <= jitterMs);
  return isRegular ? periodUs : 0;
}

/* The columns hold what the signal's own encoder gave, so the element type follows from the field. */
function valuesOf(field: SignalCodec["field"], values: readonly WireValue["value"][]): SeriesValues {
  switch (field) {
    case "ints":
      return { kind: "ints", ints: values as number[] }; // from `int`, `bool` or `option`
    case "floats":
      return { kind: "floats", floats: values as number[] }; // from `float`
    case "doubles":
      return { kind: "doubles", doubles: values as number[] }; // from `isNumber`
    case "longs":
      return { kind: "longs", longs: values as bigint[] }; // from `long`
    case "texts":
      return { kind: "texts", texts: values as string[] }; // from `text`
    case "blobs":
      return { kind: "blobs", blobs: values as Uint8Array[] }; // from `blob`
  }
}
