/**
 * What can still be said of a block whose CRC does not fit: which of its records are sound, and who the others were.
 *
 *   record ● ● ✗ ● ● ✗✗✗ ● ●        ✗ its CRC does not fit: the next place at which one does is looked for
 *   place  0 1 2 3 4 5 6 7 8 9      each record says its place, so that those behind a hole keep their ids
 */
import { BLOCK_HEAD_BYTES, BlockWalker } from "./record-block.js";

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
