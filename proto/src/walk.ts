/**
 * The well-formedness walk: proves that bytes are a message of ours without building one.
 *
 *   walkMessage(Uplink) ─┬─ seq, gap              → captured
 *                        └─ body ─ walkMessage ─┬─ base, boot nonce → captured
 *                                               └─ series ─ walkSeries (series-walk.ts)
 *
 * No allocation, no throw, no recursion deeper than the schema; linear in the bytes. Whatever it accepts, the
 * generated decoder accepts too; the codec walks before it decodes, so both agree by construction.
 * Every function answers the position after what it read, or a negative error code (wire-read.ts).
 */
import { SAMPLES_PER_MESSAGE_MAX } from "./limits.js";
import { ARGUMENT, FIELDS_PER_MESSAGE, Message, OPERATION, Op, REPEATS_MAX } from "./schema.js";
import { seriesCount, walkSeries } from "./series-walk.js";
import { checkUtf8, fail, readShortVarint, readVarint, varint } from "./wire-read.js";

/** What a walk finds on its way. One object, reused for every message. */
export interface Findings {
  seq: number;
  gap: number;
  body: number;
  bodyStart: number;
  bodyEnd: number;
  base: 0 | 1 | 2;
  baseMs: number;
  bootNonce: number;
}

/** Where the walk stopped, for the text of an error. Innermost message and field. */
export const stop = { message: 0, field: 0, at: 0 };

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** The walk under way: what it reads, what it fills, what it has counted. Walks are synchronous, so one is enough. */
const walk = {
  bytes: NO_BYTES,
  found: emptyFindings(),
  series: 0,
  samples: 0,
  signals: 0,
  commands: 0,
  options: 0,
};

const TRUNCATED = fail("truncated");
const MALFORMED = fail("malformed");
const TOO_LONG = fail("too_long");
const TOO_MANY = fail("too_many");
const WRONG_TYPE = fail("wrong_type");
const OUT_OF_RANGE = fail("out_of_range");
const CONFLICTING_BODY = fail("conflicting_body");
const CONFLICTING_BASE = fail("conflicting_base");

const SERIES_MAX = REPEATS_MAX[Op.SERIES] ?? 0;
const SIGNALS_MAX = REPEATS_MAX[Op.SIGNAL] ?? 0;
const COMMANDS_MAX = REPEATS_MAX[Op.COMMAND_SPEC] ?? 0;
const OPTIONS_MAX = REPEATS_MAX[Op.OPTION] ?? 0;

/** The wire type each operation demands, by Op. */
const WIRE_TYPE = new Uint8Array(32).fill(2);
for (const op of [Op.U32, Op.S32, Op.ENUM, Op.BOOL, Op.U53]) WIRE_TYPE[op] = 0;
for (const op of [Op.SEQ, Op.GAP, Op.BASE_UPTIME, Op.BASE_UNIX, Op.LOG_UPTIME]) WIRE_TYPE[op] = 0;
for (const op of [Op.FIXED32, Op.NONCE]) WIRE_TYPE[op] = 5;
WIRE_TYPE[Op.DOUBLE] = 1;

/** Findings of nothing. */
export function emptyFindings(): Findings {
  return { seq: 0, gap: 0, body: 0, bodyStart: 0, bodyEnd: 0, base: 0, baseMs: 0, bootNonce: 0 };
}

/** Readies findings for the next message. */
export function clearFindings(found: Findings): void {
  found.seq = 0;
  found.gap = 0;
  found.body = 0;
  found.bodyStart = 0;
  found.bodyEnd = 0;
  found.base = 0;
  found.baseMs = 0;
  found.bootNonce = 0;
}

/**
 * Walks all of `bytes` as one message.
 *
 * @param message its row in the schema table
 * @param found what the message says of itself is put here; undefined content after an error
 * @returns the length, or a negative error code; `stop` then says where
 */
export function walkAll(message: number, bytes: Uint8Array, found: Findings): number {
  clearFindings(found);
  walk.bytes = bytes;
  walk.found = found;
  walk.series = 0;
  walk.samples = 0;
  walk.signals = 0;
  walk.commands = 0;
  walk.options = 0;
  stop.at = -1;
  const end = walkMessage(message, 0, bytes.length);
  walk.bytes = NO_BYTES;
  return end;
}

/** Walks the fields of one message; answers `end` or an error. */
function walkMessage(message: number, start: number, end: number): number {
  const bytes = walk.bytes;
  let pos = start;
  while (pos < end) {
    const at = pos;
    pos = readShortVarint(bytes, pos, end);
    if (pos < 0) return stopAt(message, 0, at, pos);
    const tag = varint.low;
    const field = tag >>> 3;
    const slot = message * FIELDS_PER_MESSAGE + field;
    const op = field < FIELDS_PER_MESSAGE ? (OPERATION[slot] ?? 0) : 0;
    if (op === Op.SKIP) pos = skipField(message, tag, pos, end);
    else if (WIRE_TYPE[op] !== (tag & 7)) pos = isWireType(tag & 7) ? WRONG_TYPE : MALFORMED;
    else pos = walkField(slot, pos, end);
    if (pos < 0) return stopAt(message, field, at, pos);
  }
  return end;
}

/** Remembers the innermost place of an error and passes the error on. */
function stopAt(message: number, field: number, at: number, error: number): number {
  if (stop.at < 0) {
    stop.message = message;
    stop.field = field;
    stop.at = at;
  }
  return error;
}

/** Groups (3, 4) and the unassigned 6 and 7 are not part of proto3. */
function isWireType(wireType: number): boolean {
  return wireType <= 2 || wireType === 5;
}

/** Walks the value of a known field whose wire type is right. */
function walkField(slot: number, pos: number, end: number): number {
  const op = OPERATION[slot] ?? 0;
  switch (WIRE_TYPE[op]) {
    case 0: {
      const next = readVarint(walk.bytes, pos, end);
      return next < 0 ? next : checkNumber(op, next);
    }
    case 1:
      return pos + 8 <= end ? pos + 8 : TRUNCATED;
    case 5: {
      if (pos + 4 > end) return TRUNCATED;
      if (op === Op.NONCE) walk.found.bootNonce = readFixed32(pos);
      return pos + 4;
    }
    default: {
      const next = readShortVarint(walk.bytes, pos, end);
      if (next < 0) return next;
      const stopPos = next + varint.low;
      return stopPos > end ? TRUNCATED : walkDelimited(slot, next, stopPos);
    }
  }
}

/** Checks the range of the varint just read, and keeps what the envelope wants; answers `next` or an error. */
function checkNumber(op: number, next: number): number {
  const { low, high } = varint;
  if (op === Op.BOOL) return next;
  // A negative enum value is sign-extended to ten bytes; it is unknown, not wrong [P-32].
  if (op === Op.ENUM) return high === 0 || high === 0xffff_ffff ? next : OUT_OF_RANGE;
  if (op === Op.U53) return high < 0x20_0000 ? next : OUT_OF_RANGE;
  if (op === Op.BASE_UNIX) return high < 0x20_0000 ? keepBase(2, high * 0x1_0000_0000 + low, next) : OUT_OF_RANGE;
  if (high !== 0) return OUT_OF_RANGE;
  if (op === Op.SEQ) walk.found.seq = low;
  else if (op === Op.GAP) walk.found.gap = low;
  else if (op === Op.BASE_UPTIME) return keepBase(1, low, next);
  else if (op === Op.LOG_UPTIME) {
    walk.found.base = low === 0 ? 0 : 1;
    walk.found.baseMs = low;
  }
  return next;
}

function keepBase(base: 1 | 2, ms: number, next: number): number {
  const found = walk.found;
  if (found.base !== 0 && found.base !== base) return CONFLICTING_BASE;
  found.base = base;
  found.baseMs = ms;
  return next;
}

function readFixed32(pos: number): number {
  const bytes = walk.bytes;
  const low = (bytes[pos] ?? 0) | ((bytes[pos + 1] ?? 0) << 8) | ((bytes[pos + 2] ?? 0) << 16);
  return (low | ((bytes[pos + 3] ?? 0) << 24)) >>> 0;
}

/** Walks the content of a length-delimited field. */
function walkDelimited(slot: number, start: number, end: number): number {
  const argument = ARGUMENT[slot] ?? 0;
  switch (OPERATION[slot]) {
    case Op.SERIES:
      return walkOneSeries(start, end);
    case Op.BODY:
      return walkBody(slot, start, end);
    case Op.TEXT:
      return end - start > argument ? TOO_LONG : checkUtf8(walk.bytes, start, end);
    case Op.BYTES:
      return end - start > argument ? TOO_LONG : end;
    case Op.OPTION:
      if (++walk.options > OPTIONS_MAX) return TOO_MANY;
      return end - start > argument ? TOO_LONG : checkUtf8(walk.bytes, start, end);
    case Op.SIGNAL:
      walk.options = 0;
      return ++walk.signals > SIGNALS_MAX ? TOO_MANY : walkMessage(argument, start, end);
    case Op.COMMAND_SPEC:
      return ++walk.commands > COMMANDS_MAX ? TOO_MANY : walkMessage(argument, start, end);
    default:
      return MALFORMED;
  }
}

function walkOneSeries(start: number, end: number): number {
  if (++walk.series > SERIES_MAX) return TOO_MANY;
  const pos = walkSeries(walk.bytes, start, end);
  if (pos < 0) return stopAt(Message.SERIES, seriesCount.field, seriesCount.at, pos);
  walk.samples += seriesCount.values;
  return walk.samples > SAMPLES_PER_MESSAGE_MAX ? TOO_MANY : pos;
}

function walkBody(slot: number, start: number, end: number): number {
  const found = walk.found;
  const message = slot >>> 5;
  const field = slot & (FIELDS_PER_MESSAGE - 1);
  // Two bodies are refused rather than merged or overridden: parsers disagree on which one wins [P-28].
  if (found.body !== 0 && OPERATION[message * FIELDS_PER_MESSAGE + found.body] === Op.BODY) return CONFLICTING_BODY;
  found.body = field;
  found.bodyStart = start;
  found.bodyEnd = end;
  return walkMessage(ARGUMENT[slot] ?? 0, start, end);
}

/** Skips a field this version does not know [P-25]; notes a body of a later version, unless there is a known one. */
function skipField(message: number, tag: number, pos: number, end: number): number {
  const field = tag >>> 3;
  if (field === 0) return MALFORMED;
  const bytes = walk.bytes;
  switch (tag & 7) {
    case 0:
      return readVarint(bytes, pos, end);
    case 1:
      return pos + 8 <= end ? pos + 8 : TRUNCATED;
    case 5:
      return pos + 4 <= end ? pos + 4 : TRUNCATED;
    case 2: {
      const start = readShortVarint(bytes, pos, end);
      if (start < 0) return start;
      const next = start + varint.low;
      if (next > end) return TRUNCATED;
      noteUnknownBody(message, field, start, next);
      return next;
    }
    default:
      return MALFORMED;
  }
}

function noteUnknownBody(message: number, field: number, start: number, end: number): void {
  if (message > Message.DOWNLINK || field >= FIELDS_PER_MESSAGE) return;
  const found = walk.found;
  if (OPERATION[message * FIELDS_PER_MESSAGE + found.body] === Op.BODY) return;
  found.body = field;
  found.bodyStart = start;
  found.bodyEnd = end;
}
