/**
 * The part of the walk inside a Series: columns of packed numbers, checked value by value and counted.
 *
 *   signal 1 │ dt_ms 2 │ period_us 3 │ quality 4 │ one of: ints 5, floats 6, doubles 7, longs 8, texts 9, blobs 10
 *
 * Repeated numbers may be packed (one length-delimited field) or not (one field each): proto3 parsers take both.
 * An empty packed field carries no value and so chooses no kind.
 */
import { TEXT_VALUE_BYTES_MAX } from "./limits.js";
import { checkUtf8, fail, readShortVarint, readVarint, varint } from "./wire-read.js";

/** What the series walked last held, and after an error the field and offset it stopped at. */
export const seriesCount = { values: 0, times: 0, kind: 0, field: 0, at: 0 };

const TRUNCATED = fail("truncated");
const MALFORMED = fail("malformed");
const TOO_LONG = fail("too_long");
const WRONG_TYPE = fail("wrong_type");
const OUT_OF_RANGE = fail("out_of_range");
const MIXED_VALUES = fail("mixed_values");

const DT = 2;
const INTS = 5;
const FLOATS = 6;
const DOUBLES = 7;
const LONGS = 8;
const TEXTS = 9;
const BLOBS = 10;

/** Walks one Series; answers `end` or a negative error code. */
export function walkSeries(bytes: Uint8Array, start: number, end: number): number {
  const count = seriesCount;
  count.values = 0;
  count.times = 0;
  count.kind = 0;
  let pos = start;
  while (pos < end) {
    count.at = pos;
    count.field = 0;
    pos = readShortVarint(bytes, pos, end);
    if (pos < 0) return pos;
    const tag = varint.low;
    count.field = tag >>> 3;
    pos = (tag & 7) === 2 ? walkColumn(bytes, pos, end) : walkSingle(tag, bytes, pos, end);
    if (pos < 0) return pos;
  }
  count.field = DT;
  return count.times > count.values ? OUT_OF_RANGE : end;
}

/** Walks a length-delimited field: a packed column, a text, a blob, or an unknown field. */
function walkColumn(bytes: Uint8Array, pos: number, end: number): number {
  const start = readShortVarint(bytes, pos, end);
  if (start < 0) return start;
  const stop = start + varint.low;
  if (stop > end) return TRUNCATED;
  switch (seriesCount.field) {
    case DT:
      return countPacked32(bytes, start, stop);
    case INTS:
      return countPacked32(bytes, start, stop);
    case LONGS:
      return countPacked64(bytes, start, stop);
    case FLOATS:
      return ((stop - start) & 3) !== 0 ? MALFORMED : addValues((stop - start) >>> 2, stop);
    case DOUBLES:
      return ((stop - start) & 7) !== 0 ? MALFORMED : addValues((stop - start) >>> 3, stop);
    case TEXTS: {
      if (stop - start > TEXT_VALUE_BYTES_MAX) return TOO_LONG;
      const checked = checkUtf8(bytes, start, stop);
      return checked < 0 ? checked : addValues(1, stop);
    }
    case BLOBS:
      return addValues(1, stop);
    case 0:
      return MALFORMED;
    default:
      // signal, period and quality are single numbers; anything above 10 is unknown and skipped [P-25].
      return seriesCount.field < BLOBS ? WRONG_TYPE : stop;
  }
}

/** Walks a field that is one number: a scalar, an unpacked value, or an unknown field. */
function walkSingle(tag: number, bytes: Uint8Array, pos: number, end: number): number {
  const field = tag >>> 3;
  const wireType = tag & 7;
  if (field === 0 || (wireType !== 0 && wireType !== 1 && wireType !== 5)) return MALFORMED;
  if (field <= BLOBS && wireType !== singleWireType(field)) return WRONG_TYPE;
  let next = pos + (wireType === 1 ? 8 : 4);
  if (wireType === 0) {
    next = readVarint(bytes, pos, end);
    if (next < 0) return next;
    if (field <= INTS && varint.high !== 0) return OUT_OF_RANGE;
  } else if (next > end) return TRUNCATED;
  if (field === DT) seriesCount.times += 1;
  return field >= INTS && field <= BLOBS ? addValues(1, next) : next;
}

/** The wire type of a known field when it is not length-delimited; texts and blobs always are. */
function singleWireType(field: number): number {
  if (field === FLOATS) return 5;
  if (field === DOUBLES) return 1;
  return field === TEXTS || field === BLOBS ? 2 : 0;
}

/** Counts values of the current field; a second kind in one series is refused. */
function addValues(values: number, pos: number): number {
  const count = seriesCount;
  if (values === 0) return pos;
  if (count.kind !== 0 && count.kind !== count.field) return MIXED_VALUES;
  count.kind = count.field;
  count.values += values;
  return pos;
}

/** Checks a column of packed 32-bit varints. One and two byte values, nearly all there are, take the short way. */
function countPacked32(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  let values = 0;
  while (pos < end) {
    values += 1;
    if ((bytes[pos] ?? 0) < 0x80) {
      pos += 1;
      continue;
    }
    if (pos + 1 < end && (bytes[pos + 1] ?? 0) < 0x80) {
      pos += 2;
      continue;
    }
    pos = readVarint(bytes, pos, end);
    if (pos < 0) return pos;
    if (varint.high !== 0) return OUT_OF_RANGE;
  }
  if (seriesCount.field !== DT) return addValues(values, end);
  seriesCount.times += values;
  return end;
}

function countPacked64(bytes: Uint8Array, start: number, end: number): number {
  let pos = start;
  let values = 0;
  while (pos < end) {
    pos = readVarint(bytes, pos, end);
    if (pos < 0) return pos;
    values += 1;
  }
  return addValues(values, end);
}
