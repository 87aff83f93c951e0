/**
 * What can still be said of a block whose CRC does not fit: which of its records are sound, and who the others were.
 *
 *   record ● ● ✗ ● ● ✗✗✗ ● ●        ✗ its CRC does not fit: the next place at which one does is looked for
 *   place  0 1 2 3 4 5 6 7 8 9      each record says its place, so that those behind a hole keep their ids
 *
 * One flipped bit is what ageing flash does. Where it lies in the head of the block it is found and put right, or all
 * of its records would be lost to it; where it lies in the head of a record it is found as well, because a list of
 * losses that names another number than the one that is lost would be worse than none.
 */
import { BLOCK_HEAD_BYTES, BlockWalker, blockCrc, HEAD_BYTES_MAX } from "./record-block.js";

/** Where a sound record lies, and its id. */
export interface SoundPlace {
  readonly id: number;
  readonly at: number;
}

/** The sound records of a damaged block, in order; the ids between `firstId` and `lastId` that are absent are lost. */
export function soundPlaces(bytes: Uint8Array, firstId: number, lastId: number): SoundPlace[] {
  const walker = new BlockWalker(bytes, firstId);
  const found: SoundPlace[] = [];
  let at = BLOCK_HEAD_BYTES;
  let place = 0;
  while (at < bytes.length && firstId + place <= lastId) {
    const end = walker.read(at);
    if (end < 0 || !walker.isSound()) {
      at = nextSound(walker, at);
      continue;
    }
    // Behind a hole the low byte of the place says how many are missing; no hole of a page hides 256 records.
    place += (walker.place - place) & 0xff;
    if (firstId + place <= lastId) found.push({ id: firstId + place, at });
    place += 1;
    at = end;
  }
  return found;
}

/** Every place behind is tried: the length that a damaged record claims may be what was hit. */
function nextSound(walker: BlockWalker, from: number): number {
  for (let at = from + 1; at < walker.bytes.length; at++) if (walker.read(at) >= 0 && walker.isSound()) return at;
  return walker.bytes.length;
}

/** @returns the body with the one bit of its head put right that makes the block's CRC fit, or null: it is not that. */
export function withHeadMended(
  block: { readonly firstId: number; readonly lastId: number; readonly body: Uint8Array },
  crc: number,
): Uint8Array | null {
  const body = block.body.slice();
  const headBytes = Math.min(BLOCK_HEAD_BYTES, body.length);
  return withOneBit(body, { from: 0, to: headBytes }, () => blockCrc({ ...block, body }) === crc) ? body : null;
}

/**
 * Who a damaged record is, when one bit of its head was hit: its bytes lie between two sound records.
 *
 * @param range from its first byte to the one behind its last.
 * @returns the record, for its numbers, or null: it was hit elsewhere, or more than once.
 */
export function withNumbersMended(
  block: { readonly firstId: number; readonly body: Uint8Array },
  range: { readonly from: number; readonly to: number },
): BlockWalker | null {
  const bytes = block.body.slice(0, range.to);
  const walker = new BlockWalker(bytes, block.firstId);
  const head = { from: range.from, to: Math.min(range.from + HEAD_BYTES_MAX, range.to) };
  return withOneBit(bytes, head, () => walker.read(range.from) === range.to && walker.isSound()) ? walker : null;
}

/** Flip one bit after another, each back again, until it fits. @returns whether it did; then that bit stays flipped. */
function withOneBit(bytes: Uint8Array, range: { readonly from: number; readonly to: number }, fits: () => boolean) {
  for (let bit = range.from * 8; bit < range.to * 8; bit++) {
    const at = bit >> 3;
    const before = bytes[at] ?? 0;
    bytes[at] = before ^ (1 << (bit & 7));
    if (fits()) return true;
    bytes[at] = before;
  }
  return false;
}
