/**
 * The short way to the readings of a telemetry body: numbers straight from the bytes into columns that are used again
 * for the next body, without a message in between.
 *
 *   body ── Columns.read ──┬─ true    series 0 … count-1, their times and values one behind another
 *                          └─ false   decodeTelemetry: texts, blobs, 64-bit numbers, anything rare or not well formed
 *
 * For whoever unrolls every stored record: rendering for sinks and the history. Like skim.ts it is never surer than the
 * long way: what it accepts, `decodeTelemetry` decodes to the same numbers, which a test holds together.
 */
import { SAMPLES_PER_MESSAGE_MAX, SERIES_PER_TELEMETRY_MAX } from "./limits.js";
import { last, skimVarint } from "./skim.js";

/** What the values of a column are; as in `SeriesValues`. */
export const ColumnKind = { ints: 0, floats: 1, doubles: 2 } as const;
export type ColumnKind = (typeof ColumnKind)[keyof typeof ColumnKind];

const NO_BYTES = new Uint8Array(0);

/** Position that says "not sure". */
const UNSURE = -1;

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
 * The series of the body read last. The arrays are as long as a message can be (about 200 KB together): make one and
 * keep it. Series `i` has its values from `valuesFrom[i]` up to `valuesFrom[i + 1]` in `values`, its times likewise.
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
  #bytes: Uint8Array = NO_BYTES;

  /**
   * Reads a bare Telemetry body.
   *
   * @param bytes the body alone; only read, and not kept
   * @returns false when only `decodeTelemetry` can tell what is in it; the columns hold nothing meaningful then
   */
  read(bytes: Uint8Array): boolean {
    this.#bytes = bytes;
    this.count = 0;
    const isRead = this.#body();
    this.#bytes = NO_BYTES;
    return isRead;
  }

  #body(): boolean {
    const bytes = this.#bytes;
    const end = bytes.length;
    let pos = skipBase(bytes, end);
    while (pos >= 0 && pos < end && bytes[pos] === SERIES && this.count < SERIES_PER_TELEMETRY_MAX) {
      pos = skimVarint(bytes, pos + 1, end);
      if (pos < 0) return false;
      const stop = pos + (last[0] ?? 0);
      if (stop > end || !this.#series(pos, stop)) return false;
      this.count += 1;
      pos = stop;
    }
    return pos === end;
  }

  #series(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const index = this.count;
    let pos = start;
    let timesTo = this.timesFrom[index] ?? 0;
    this.signal[index] = 0;
    this.periodUs[index] = 0;
    this.quality[index] = 0;
    while (pos < end) {
      const tag = bytes[pos] ?? 0;
      pos = skimVarint(bytes, pos + 1, end);
      if (pos < 0) return false;
      const number = last[0] ?? 0;
      if (tag === SIGNAL) this.signal[index] = number;
      else if (tag === PERIOD_US) this.periodUs[index] = number;
      else if (tag === QUALITY) this.quality[index] = number;
      else if (tag === DT_MS) {
        timesTo = pos + number > end ? UNSURE : this.#times(pos, pos + number, timesTo);
        if (timesTo < 0) return false;
        pos += number;
      } else {
        this.timesFrom[index + 1] = timesTo;
        return pos + number === end && this.#column(tag, pos, end);
      }
    }
    return false;
  }

  /** Answers where the times end in `times`, or UNSURE. */
  #times(start: number, stop: number, from: number): number {
    if (start === stop) return UNSURE;
    let to = from;
    for (let pos = start; pos < stop; ) {
      pos = skimVarint(this.#bytes, pos, stop);
      if (pos < 0 || to === SAMPLES_PER_MESSAGE_MAX) return UNSURE;
      this.times[to++] = last[0] ?? 0;
    }
    return to;
  }

  #column(tag: number, start: number, end: number): boolean {
    const index = this.count;
    const from = this.valuesFrom[index] ?? 0;
    let to = UNSURE;
    if (tag === FLOATS) to = this.#floats(start, end, from);
    else if (tag === INTS) to = this.#ints(start, end, from);
    else if (tag === DOUBLES) to = this.#doubles(start, end, from);
    if (to <= from) return false;
    this.kind[index] = tag === FLOATS ? ColumnKind.floats : tag === INTS ? ColumnKind.ints : ColumnKind.doubles;
    this.valuesFrom[index + 1] = to;
    return (this.timesFrom[index + 1] ?? 0) - (this.timesFrom[index] ?? 0) <= to - from;
  }

  #floats(start: number, end: number, from: number): number {
    const count = (end - start) >>> 2;
    if (((end - start) & 3) !== 0 || from + count > SAMPLES_PER_MESSAGE_MAX) return UNSURE;
    for (let i = 0, pos = start; i < count; i += 1, pos += 4) {
      floatBits[0] = word(this.#bytes, pos);
      this.values[from + i] = float[0] ?? 0;
    }
    return from + count;
  }

  #doubles(start: number, end: number, from: number): number {
    const count = (end - start) >>> 3;
    if (((end - start) & 7) !== 0 || from + count > SAMPLES_PER_MESSAGE_MAX) return UNSURE;
    for (let i = 0, pos = start; i < count; i += 1, pos += 8) {
      doubleBits[LOW] = word(this.#bytes, pos);
      doubleBits[1 - LOW] = word(this.#bytes, pos + 4);
      this.values[from + i] = double[0] ?? 0;
    }
    return from + count;
  }

  /** sint32: zigzag. */
  #ints(start: number, end: number, from: number): number {
    let to = from;
    for (let pos = start; pos < end; ) {
      pos = skimVarint(this.#bytes, pos, end);
      if (pos < 0 || to === SAMPLES_PER_MESSAGE_MAX) return UNSURE;
      const zigzag = last[0] ?? 0;
      this.values[to++] = (zigzag >>> 1) ^ -(zigzag & 1);
    }
    return to;
  }
}

/** The base is known already to whoever stored the record; answers the position behind it, or UNSURE. */
function skipBase(bytes: Uint8Array, end: number): number {
  if (end === 0) return 0;
  if (bytes[0] === UPTIME_MS) return skimVarint(bytes, 1, end);
  if (bytes[0] !== UNIX_MS) return 0;
  for (let at = 1; at < end && at <= UNIX_MS_BYTES_MAX; at += 1) {
    if ((bytes[at] ?? 0) < 0x80) return at + 1;
  }
  return UNSURE;
}

/** Four bytes, the lowest first. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
