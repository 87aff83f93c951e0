/**
 * A catalog as a whole: its hash, and its parts when it does not fit one frame [P-26] [P-27].
 *
 *   hash = CRC-32 over the encoded `signals` and `commands` fields of all parts, in the order they are sent
 *
 *   part 0: hash, parts=3          │ signal │ signal │          hash, part and parts are not covered, so a device can
 *   part 1: hash, part=1, parts=3  │ signal │ signal │          compute the hash while it encodes, and splitting the
 *   part 2: hash, part=2, parts=3  │ command │                  same fields otherwise does not change it
 */
import { encodeCatalog } from "./codec.js";
import { crc32 } from "./crc.js";
import type { Decoded } from "./decode-error.js";
import { CATALOG_PARTS_MAX, COMMANDS_PER_CATALOG_MAX, MESSAGE_BYTES_MAX, SIGNALS_PER_CATALOG_MAX } from "./limits.js";
import type { Catalog, CommandSpec, Signal } from "./messages.js";
import { readShortVarint, readVarint, varint } from "./wire-read.js";

const SIGNALS = 4;
const COMMANDS = 5;

/** Room for what stands around the fields of a part: seq, gap, body tag and length, hash, part, parts. */
const PART_OVERHEAD_BYTES = 32;

/**
 * The hash of a catalog, as it stands in Hello and in every part [P-26].
 *
 * @param parts the encoded parts in order, one for a catalog that is whole; only what `decodeCatalog` accepts
 * @returns 1 … 0xFFFFFFFF, or 0 for a catalog without signals and commands
 * @throws RangeError when a part is not an encoded catalog
 */
export function catalogHash(...parts: readonly Uint8Array[]): number {
  let crc = 0;
  let covered = 0;
  for (const part of parts) {
    for (let pos = 0; pos < part.length; ) {
      const next = fieldEnd(part, pos);
      if (isCovered(part, pos)) {
        crc = crc32(part.subarray(pos, next), crc);
        covered += 1;
      }
      pos = next;
    }
  }
  // 0 means "has no catalog", so the one catalog in four billion whose CRC is 0 is called 1.
  return covered > 0 && crc === 0 ? 1 : crc;
}

function isCovered(bytes: Uint8Array, pos: number): boolean {
  readShortVarint(bytes, pos, bytes.length);
  const field = varint.low >>> 3;
  return field === SIGNALS || field === COMMANDS;
}

/** The offset behind the field that begins at `pos`. */
function fieldEnd(bytes: Uint8Array, start: number): number {
  const end = bytes.length;
  const pos = readShortVarint(bytes, start, end);
  let next = -1;
  switch (pos < 0 ? -1 : varint.low & 7) {
    case 0:
      next = readVarint(bytes, pos, end);
      break;
    case 1:
      next = pos + 8;
      break;
    case 5:
      next = pos + 4;
      break;
    case 2:
      next = readShortVarint(bytes, pos, end);
      if (next >= 0) next += varint.low;
  }
  if (next < 0 || next > end) throw new RangeError(`no encoded catalog: the field at byte ${start} does not end`);
  return next;
}

/**
 * Cuts a catalog into parts that fit a frame, and fills in hash, part and parts [P-27].
 *
 * @param catalog its hash, part and parts are ignored
 * @param messageBytesMax the longest Uplink the link takes, 64 … MESSAGE_BYTES_MAX
 * @returns at least one part, in the order to send them
 * @throws RangeError when one signal alone does not fit, there would be too many parts, or a value is out of range
 */
export function splitCatalog(catalog: Catalog, messageBytesMax: number): Catalog[] {
  const room = Math.min(messageBytesMax, MESSAGE_BYTES_MAX) - PART_OVERHEAD_BYTES;
  const slices = [{ ...emptyPart() }];
  let used = 0;
  const put = (entry: Catalog): void => {
    const bytes = encodeCatalog(entry).length;
    if (bytes > room) throw new RangeError(`one catalog entry takes ${bytes} bytes; ${room} fit a frame of this link`);
    if (used + bytes > room) {
      slices.push(emptyPart());
      used = 0;
    }
    used += bytes;
    slices.at(-1)?.signals.push(...entry.signals);
    slices.at(-1)?.commands.push(...entry.commands);
  };
  for (const signal of catalog.signals) put({ ...emptyPart(), signals: [signal] });
  for (const command of catalog.commands) put({ ...emptyPart(), commands: [command] });
  if (slices.length > CATALOG_PARTS_MAX) {
    throw new RangeError(`the catalog needs ${slices.length} parts; at most ${CATALOG_PARTS_MAX} are allowed`);
  }
  const hash = catalogHash(...slices.map(encodeCatalog));
  return slices.map((slice, part) => ({ ...slice, hash, part, parts: slices.length }));
}

function emptyPart(): Catalog {
  const signals: Signal[] = [];
  const commands: CommandSpec[] = [];
  return { hash: 0, part: 0, parts: 0, signals, commands };
}

/**
 * Puts the parts of a catalog together [P-27].
 *
 * @param parts the decoded parts, in any order, each once
 * @returns the whole catalog with `part` 0 and `parts` 1, or why the parts are not one catalog
 */
export function joinCatalog(parts: readonly Catalog[]): Decoded<Catalog> {
  const sorted = [...parts].sort((a, b) => a.part - b.part);
  const first = sorted[0];
  if (first === undefined) return refuse("empty", "no part at all");
  const expected = Math.max(1, first.parts);
  if (expected > CATALOG_PARTS_MAX) return refuse("too_many", `${expected} parts`);
  if (sorted.length !== expected) return refuse("truncated", `${sorted.length} of ${expected} parts`);
  const strange = sorted.findIndex(
    (part, i) => part.part !== i || part.hash !== first.hash || part.parts !== first.parts,
  );
  if (strange >= 0) return refuse("malformed", `part ${strange} is missing or of another catalog`);
  const signals = sorted.flatMap((part) => part.signals);
  const commands = sorted.flatMap((part) => part.commands);
  if (signals.length > SIGNALS_PER_CATALOG_MAX) return refuse("too_many", `${signals.length} signals`);
  if (commands.length > COMMANDS_PER_CATALOG_MAX) return refuse("too_many", `${commands.length} commands`);
  return { ok: true, value: { hash: first.hash, part: 0, parts: 1, signals, commands } };
}

function refuse(code: "empty" | "too_many" | "truncated" | "malformed", detail: string): Decoded<Catalog> {
  return { ok: false, error: { code, detail: `catalog: ${detail}` } };
}
