/**
 * The short way through the walk: telemetry in the form encoders write it, the bulk of all frames.
 *
 *   seq, gap? │ telemetry: base? series* boot_nonce? │ series: signal, dt_ms?, period?, quality?, one column
 *
 * It only ever says "well formed" or "not sure"; whatever it is not sure of (long varints, texts, unpacked columns,
 * unknown fields, anything wrong) takes the long way (walk.ts), which alone refuses. A test holds the two together.
 */
import { SAMPLES_PER_MESSAGE_MAX, SERIES_PER_TELEMETRY_MAX } from "./limits.js";
import type { Findings } from "./walk.js";

/** Position that says "not sure". */
const UNSURE = -1;

/** The value of the varint, or the number of values in the column, read last. Typed: a store costs no allocation. */
export const last = new Uint32Array(1);

const TELEMETRY_BODY = 5;

/**
 * Skims a whole Uplink.
 *
 * @param found already empty; filled when the answer is true, undefined content otherwise
 * @returns true when the message is well formed telemetry, false when the long way must judge
 */
export function skimTelemetry(bytes: Uint8Array, found: Findings): boolean {
  const end = bytes.length;
  let pos = 0;
  if (bytes[0] === 0x08) {
    pos = skimVarint(bytes, 1, end);
    if (pos < 0) return false;
    found.seq = last[0] ?? 0;
  }
  if (pos < end && bytes[pos] === 0x10) {
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    found.gap = last[0] ?? 0;
  }
  if (pos >= end || bytes[pos] !== 0x2a) return false;
  pos = skimVarint(bytes, pos + 1, end);
  if (pos < 0 || pos + (last[0] ?? 0) !== end) return false;
  found.body = TELEMETRY_BODY;
  found.bodyStart = pos;
  found.bodyEnd = end;
  return skimBody(bytes, pos, end, found);
}

function skimBody(bytes: Uint8Array, start: number, end: number, found: Findings): boolean {
  let pos = start;
  if (pos < end && bytes[pos] === 0x08) {
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    found.base = 1;
    found.baseMs = last[0] ?? 0;
  } else if (pos < end && bytes[pos] === 0x10) {
    pos = skimUnixMs(bytes, pos + 1, end, found);
    if (pos < 0) return false;
  }
  let series = 0;
  let samples = 0;
  while (pos < end && bytes[pos] === 0x1a) {
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    const stop = pos + (last[0] ?? 0);
    if (stop > end || !skimSeries(bytes, pos, stop)) return false;
    series += 1;
    samples += last[0] ?? 0;
    pos = stop;
  }
  // A boot nonce, and everything rarer, is for the long way.
  return pos === end && series <= SERIES_PER_TELEMETRY_MAX && samples <= SAMPLES_PER_MESSAGE_MAX;
}

/** Reads 48-bit unix_ms: at most seven bytes, or the long way. */
function skimUnixMs(bytes: Uint8Array, start: number, end: number, found: Findings): number {
  if (end - start < 7) return UNSURE;
  let value = 0;
  let unit = 1;
  for (let i = start; i < start + 7; i += 1) {
    const byte = bytes[i] ?? 0;
    value += (byte & 0x7f) * unit;
    unit *= 128;
    if (byte < 0x80) {
      found.base = 2;
      found.baseMs = value;
      return i + 1;
    }
  }
  return UNSURE;
}

/** Skims one Series of numbers; leaves the number of its values in `last`. */
function skimSeries(bytes: Uint8Array, start: number, end: number): boolean {
  let pos = start;
  let times = 0;
  while (pos < end) {
    const tag = bytes[pos] ?? 0;
    if (tag === 0x08 || tag === 0x18 || tag === 0x20) {
      pos = skimVarint(bytes, pos + 1, end);
      if (pos < 0) return false;
      continue;
    }
    pos = skimVarint(bytes, pos + 1, end);
    if (pos < 0) return false;
    const stop = pos + (last[0] ?? 0);
    if (stop > end || !skimColumn(tag, bytes, pos, stop)) return false;
    if (tag !== 0x12) return stop === end && times <= (last[0] ?? 0);
    times += last[0] ?? 0;
    pos = stop;
  }
  return false;
}

/** Counts a packed column into `last`; false for a column that is not of numbers up to 32 bits. */
function skimColumn(tag: number, bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (tag === 0x32) {
    last[0] = length >>> 2;
    return (length & 3) === 0;
  }
  if (tag === 0x3a) {
    last[0] = length >>> 3;
    return (length & 7) === 0;
  }
  if ((tag !== 0x2a && tag !== 0x12) || length === 0) return false;
  let values = 0;
  let continued = 0;
  for (let i = start; i < end; i += 1) {
    if ((bytes[i] ?? 0) < 0x80) {
      values += 1;
      continued = 0;
    } else if (++continued > 3) return false;
  }
  last[0] = values;
  return continued === 0;
}

/** Reads a varint of up to 32 bits, padded or not [P-24], into `last`; answers the position behind it, or UNSURE. */
export function skimVarint(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return UNSURE;
  const first = bytes[start] ?? 0;
  if (first < 0x80) {
    last[0] = first;
    return start + 1;
  }
  let value = first & 0x7f;
  for (let i = 1; i < 4 && start + i < end; i += 1) {
    const byte = bytes[start + i] ?? 0;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      last[0] = value;
      return start + i + 1;
    }
  }
  const fifth = start + 4 < end ? (bytes[start + 4] ?? 0) : TOO_LARGE;
  if (fifth > 0x0f) return UNSURE;
  last[0] = value | (fifth << 28);
  return start + 5;
}

/** A fifth byte that no number of 32 bits has. */
const TOO_LARGE = 0x80;
