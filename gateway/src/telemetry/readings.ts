/**
 * From a stored telemetry record to its readings: columns unrolled, times made absolute, values made plain.
 *
 *   base ──dt[0]──▶ sample 0 ──dt[1]──▶ sample 1 …        or every period_us from the base on
 *
 * Everything that decides the outcome is in the row (bytes, catalog, base, accuracy), so the same record gives the
 * same readings for ever.
 */
import {
  type Catalog,
  ColumnKind,
  Columns,
  decodeTelemetry,
  type Series,
  type SeriesValues,
  Type,
} from "@tidegate/proto";
import type { StoredRecord } from "../model/record.js";
import { Accuracy } from "../model/record.js";
import type { LiveReading } from "../model/spool.js";
import { type CatalogView, type SignalView, viewOf } from "./catalog-view.js";
import {
  blobValue,
  boolValue,
  doubleValue,
  enumValue,
  float32Value,
  longValue,
  scaledValue,
  type Value,
} from "./value.js";

/** How far a reading can be trusted; `bad` also where there is no number. */
export type Quality = "good" | "uncertain" | "bad";

/** One measured value, ready to be shown. */
export interface Reading {
  readonly signal: SignalView;
  /** Unix ms, an integer. */
  readonly t: number;
  readonly v: Value;
  readonly q: Quality;
}

/** Told of each reading in turn. */
export type ReadingVisitor = (signal: SignalView, t: number, v: Value, q: Quality) => void;

/** Filled for every record and unrolled at once: one serves all records of a thread. */
const columns = new Columns();

/**
 * Visit the readings of a telemetry record, in the order the device wrote them.
 *
 * @param record of kind telemetry; its body is only read.
 * @param catalog the one in force at intake (`record.catalog`), or null.
 * @param visit must not come back here.
 * @returns false when the body cannot be decoded, which intake's walk rules out short of a fault of ours; nothing was
 *   visited then.
 */
export function visitReadings(record: StoredRecord, catalog: Catalog | null, visit: ReadingVisitor): boolean {
  const view = viewOf(catalog);
  if (columns.read(record.body)) {
    for (let i = 0; i < columns.count; i++) unrollColumn(i, record, view, visit);
    return true;
  }
  const decoded = decodeTelemetry(record.body);
  if (!decoded.ok) return false;
  for (const series of decoded.value.series) unrollSeries(series, record, view, visit);
  return true;
}

/** The readings as a list; null when the body cannot be decoded. */
export function readingsOf(record: StoredRecord, catalog: Catalog | null): Reading[] | null {
  const readings: Reading[] = [];
  return visitReadings(record, catalog, (signal, t, v, q) => void readings.push({ signal, t, v, q })) ? readings : null;
}

/** The same for viewers: plain objects with the key as text and the unit. */
export function liveReadingsOf(record: StoredRecord, catalog: Catalog | null): LiveReading[] | null {
  const readings = readingsOf(record, catalog);
  return readings === null ? null : readings.map(liveReading);
}

function liveReading({ signal, t, v, q }: Reading): LiveReading {
  return signal.unit === "" ? { signal: signal.key, t, v, q } : { signal: signal.key, t, v, q, unit: signal.unit };
}

function unrollColumn(index: number, record: StoredRecord, view: CatalogView, visit: ReadingVisitor): void {
  const signal = view.signal(columns.signal[index] ?? 0);
  const quality = qualityOf(columns.quality[index] ?? 0, record.accuracy);
  const kind = columns.kind[index];
  const from = columns.valuesFrom[index] ?? 0;
  const to = columns.valuesFrom[index + 1] ?? 0;
  const periodUs = columns.periodUs[index] ?? 0;
  let time = columns.timesFrom[index] ?? 0;
  const timesTo = columns.timesFrom[index + 1] ?? 0;
  let offsetMs = 0;
  for (let i = from; i < to; i++) {
    if (periodUs > 0) offsetMs = ((i - from) * periodUs) / 1000;
    else if (time < timesTo) offsetMs += columns.times[time++] ?? 0;
    const v = numberAt(kind, columns.values[i] ?? 0, signal);
    visit(signal, Math.round(record.baseUnixMs + offsetMs), v, v === null ? "bad" : quality);
  }
}

function numberAt(kind: number | undefined, number: number, signal: SignalView): Value {
  if (kind === ColumnKind.floats) return float32Value(number);
  return kind === ColumnKind.ints ? intValue(number, signal) : doubleValue(number);
}

function unrollSeries(series: Series, record: StoredRecord, view: CatalogView, visit: ReadingVisitor): void {
  const signal = view.signal(series.signal);
  const quality = qualityOf(series.quality, record.accuracy);
  const count = countOf(series.values);
  let offsetMs = 0;
  for (let i = 0; i < count; i++) {
    // A period is multiplied, not summed: a thousand samples later the sum of rounded steps would have drifted.
    offsetMs = series.periodUs > 0 ? (i * series.periodUs) / 1000 : offsetMs + (series.dtMs[i] ?? 0);
    const v = valueAt(series.values, i, signal);
    visit(signal, Math.round(record.baseUnixMs + offsetMs), v, v === null ? "bad" : quality);
  }
}

/** 0 good, 1 uncertain, 2 bad; a code of a later version is at least not good. */
function qualityOf(code: number, accuracy: Accuracy): Quality {
  if (code === 2) return "bad";
  return code === 0 && accuracy !== Accuracy.uncertain ? "good" : "uncertain";
}

function countOf(values: SeriesValues): number {
  switch (values.kind) {
    case "ints":
      return values.ints.length;
    case "floats":
      return values.floats.length;
    case "doubles":
      return values.doubles.length;
    case "longs":
      return values.longs.length;
    case "texts":
      return values.texts.length;
    case "blobs":
      return values.blobs.length;
    case "none":
      return 0;
  }
}

function valueAt(values: SeriesValues, index: number, signal: SignalView): Value {
  switch (values.kind) {
    case "ints":
      return intValue(values.ints[index] ?? 0, signal);
    case "floats":
      return float32Value(values.floats[index] ?? 0);
    case "doubles":
      return doubleValue(values.doubles[index] ?? 0);
    case "longs":
      return longValue(values.longs[index] ?? 0n);
    case "texts":
      return values.texts[index] ?? "";
    case "blobs": {
      const blob = values.blobs[index];
      return blob === undefined ? "" : blobValue(blob);
    }
    case "none":
      return null;
  }
}

function intValue(count: number, signal: SignalView): Value {
  if (signal.type === Type.BOOL) return boolValue(count);
  if (signal.type === Type.ENUM) return enumValue(count, signal.options);
  return scaledValue(count, signal.scale);
}
