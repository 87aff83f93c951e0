/**
 * The short way to the readings of a telemetry body: numbers straight from the bytes into columns that are used again
 * for the next body, without a message in between.
 *
 *   body ── readColumns ──┬─ true: Columns            series 0 … count-1, their times and values one behind another
 *                         └─ false: decodeTelemetry   texts, blobs, 64-bit numbers, anything rare or not well formed
 *
 * For whoever unrolls every stored record: rendering for sinks and the history. Like skim.ts it is never surer than the
 * long way: what it accepts, `decodeTelemetry` decodes to the same numbers, which a test holds together.
 */
import { SAMPLES_PER_MESSAGE_MAX, SERIES_PER_TELEMETRY_MAX } from "./limits.js";
import { last, skimVarint } from "./skim.js";

/** What the values of a column are; as in `SeriesValues`. */
export const ColumnKind = { ints: 0, floats: 1, doubles: 2 } as const;
export type ColumnKind = (typeof ColumnKind)[keyof typeof ColumnKind];

/**
 * The series of one body. The arrays are as long as a message can be (about 200 KB together): make one and keep it.
 * Series `i` has its values from `valuesFrom[i]` up to `valuesFrom[i + 1]` in `values`, its times likewise.
 */
export class Columns {
  /** Series in the body read last. */
  count = 0;
  readonly signal = new Uint32Array(SERIES_PER_TELEMETRY_MAX);
  readonly periodUs = new Uint32Array(SERIES_PER_TELEMETRY_MAX);
  readonly quality = new Uint32Array(SERIES_PER_TELEMETRY_MAX);
  /** A ColumnKind each. */
  readonly kind = new Uint8Array(SERIES_PER_TELEMETRY_MAX);
  readonly valuesFrom = new Uint32Array(SERIES_PER_TELEMETRY_MAX + 1);
  readonly timesFrom = new Uint32Array(SERIES_PER_TELEMETRY_MAX + 1);
  readonly values = new Float64Array(SAMPLES_PER_MESSAGE_MAX);
  /** `dt_ms` as sent: at most one per value [P-39]. */
  readonly times = new Uint32Array(SAMPLES_PER_MESSAGE_MAX);
}

const UPTIME_MS = 0x08;
const UNIX_MS = 0x10;
const SERIES = 0x1a;
const SIGNAL = 0x08;
const DT_MS = 0x12;
const PERIOD_US = 0x18;
const QUALITY = 0x20;
const INTS = 0x2a;
const FLOATS = 0x32;
const DOUBLES = 0x3a;

/** Bytes of a 48-bit unix_ms: more are for the long way. */
const UNIX_MS_BYTES_MAX = 7;

/** One number's bytes on their way to its value: cheaper than a DataView for every body. */
const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new Uint32Array(double.buffer);
/** Which half of a double is the low one in memory. */
const LOW = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

/**
 * Reads a bare Telemetry body.
 *
 * @param bytes the body alone; only read
 * @param into filled when the answer is true, undefined content otherwise
 * @returns false when only `decodeTelemetry` can tell what is in it
 */
export function readColumns(bytes: Uint8Array, into: Columns): boolean {
  const end = bytes.length;
  let pos = skipBase(bytes, end);
  let count = 0;
  into.valuesFrom[0] = 0;
  into.timesFrom[0] = 0;
  while (pos >= 0 && pos < end && bytes[pos] === SERIES && count < SERIES_PER_TELEMETRY_MAX) {
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    const stop = pos + (last[0] ?? 0);
    if (stop > end || !readSeries(bytes, pos, stop, into, count)) return false;
    count += 1;
    pos = stop;
  }
  into.count = count;
  return pos === end;
}

/** The base is known already to whoever stored the record; answers the position behind it, or less than 0. */
function skipBase(bytes: Uint8Array, end: number): number {
  if (end === 0) return 0;
  if (bytes[0] === UPTIME_MS) return skimVarint(bytes, 1, end);
  if (bytes[0] !== UNIX_MS) return 0;
  for (let at = 1; at < end && at <= UNIX_MS_BYTES_MAX; at += 1) {
    if ((bytes[at] ?? 0) < 0x80) return at + 1;
  }
  return -1;
}

function readSeries(bytes: Uint8Array, start: number, end: number, into: Columns, index: number): boolean {
  let pos = start;
  let timesTo = into.timesFrom[index] ?? 0;
  into.signal[index] = 0;
  into.periodUs[index] = 0;
  into.quality[index] = 0;
  while (pos < end) {
    const tag = bytes[pos] ?? 0;
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    const number = last[0] ?? 0;
    if (tag === SIGNAL) into.signal[index] = number;
    else if (tag === PERIOD_US) into.periodUs[index] = number;
    else if (tag === QUALITY) into.quality[index] = number;
    else if (tag === DT_MS) {
      timesTo = readTimes(bytes, pos, pos + number, end, into, timesTo);
      if (timesTo < 0) return false;
      pos += number;
    } else {
      into.timesFrom[index + 1] = timesTo;
      return pos + number === end && readValues(tag, bytes, pos, end, into, index);
    }
  }
  return false;
}

/** Answers where the times end in `into.times`, or less than 0. */
function readTimes(bytes: Uint8Array, start: number, stop: number, end: number, into: Columns, from: number): number {
  if (stop > end || start === stop) return -1;
  let to = from;
  for (let pos = start; pos < stop; ) {
    pos = skimVarint(bytes, pos, stop);
    if (pos < 0 || to === SAMPLES_PER_MESSAGE_MAX) return -1;
    into.times[to++] = last[0] ?? 0;
  }
  return to;
}

function readValues(tag: number, bytes: Uint8Array, start: number, end: number, into: Columns, index: number): boolean {
  const from = into.valuesFrom[index] ?? 0;
  let to = -1;
  if (tag === FLOATS) to = readFloats(bytes, start, end, into.values, from);
  else if (tag === INTS) to = readInts(bytes, start, end, into.values, from);
  else if (tag === DOUBLES) to = readDoubles(bytes, start, end, into.values, from);
  if (to <= from) return false;
  into.kind[index] = tag === FLOATS ? ColumnKind.floats : tag === INTS ? ColumnKind.ints : ColumnKind.doubles;
  into.valuesFrom[index + 1] = to;
  return (into.timesFrom[index + 1] ?? 0) - (into.timesFrom[index] ?? 0) <= to - from;
}

function readFloats(bytes: Uint8Array, start: number, end: number, values: Float64Array, from: number): number {
  const count = (end - start) >>> 2;
  if (((end - start) & 3) !== 0 || from + count > SAMPLES_PER_MESSAGE_MAX) return -1;
  for (let i = 0, pos = start; i < count; i += 1, pos += 4) {
    floatBits[0] = word(bytes, pos);
    values[from + i] = float[0] ?? 0;
  }
  return from + count;
}

function readDoubles(bytes: Uint8Array, start: number, end: number, values: Float64Array, from: number): number {
  const count = (end - start) >>> 3;
  if (((end - start) & 7) !== 0 || from + count > SAMPLES_PER_MESSAGE_MAX) return -1;
  for (let i = 0, pos = start; i < count; i += 1, pos += 8) {
    doubleBits[LOW] = word(bytes, pos);
    doubleBits[1 - LOW] = word(bytes, pos + 4);
    values[from + i] = double[0] ?? 0;
  }
  return from + count;
}

/** sint32: zigzag. */
function readInts(bytes: Uint8Array, start: number, end: number, values: Float64Array, from: number): number {
  let to = from;
  for (let pos = start; pos < end; ) {
    pos = skimVarint(bytes, pos, end);
    if (pos < 0 || to === SAMPLES_PER_MESSAGE_MAX) return -1;
    const zigzag = last[0] ?? 0;
    values[to++] = (zigzag >>> 1) ^ -(zigzag & 1);
  }
  return to;
}

/** Four bytes, the lowest first. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
