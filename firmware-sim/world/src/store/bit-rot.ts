/**
 * One bit of one stored block flips, as on a card that ages: the file is whole for SQLite, and the block is not.
 *
 *   records   [ block ][ block ][ bl*ck ][ block ]       of the hit block one record is gone, its neighbours are not
 */
import type { RecordKind } from "tidegate/dist/model/record.js";
import { walkBlock } from "tidegate/dist/storage/block-rows.js";
import { BLOCK_HEAD_BYTES } from "tidegate/dist/storage/record-block.js";
import type { Seeded } from "../seeded.js";

/** A record that may be lost to it. */
export interface HitRecord {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly body: Uint8Array;
}

/** A block as its row has it. */
export interface BlockBody {
  readonly firstId: number;
  readonly lastId: number;
  readonly body: Uint8Array;
}

export interface Flip {
  /** Which block, and what its body is from now on. */
  readonly lastId: number;
  readonly body: Uint8Array;
  /** None when it was the head of the block. */
  readonly hits: readonly HitRecord[];
}

/** Where a bit flips in one of these blocks; null: there is none, or it is damaged already. */
export function flipBit(blocks: readonly BlockBody[], random: Seeded): Flip | null {
  const [first, ...rest] = blocks;
  if (first === undefined) return null;
  const { firstId, lastId, body } = random.pick([first, ...rest]);
  const at = random.between(0, body.length - 1);
  const hit = recordAt({ firstId, lastId, body }, at);
  if (hit === null) return null; // damaged before: once is enough for a block
  const damaged = Uint8Array.from(body, (byte, i) => (i === at ? byte ^ (1 << random.between(0, 7)) : byte));
  return { lastId, body: damaged, hits: at < BLOCK_HEAD_BYTES ? [] : [hit] };
}

/** The record that covers a byte; null when the block is damaged already. */
function recordAt({ firstId, lastId, body }: BlockBody, at: number): HitRecord | null {
  let hit: HitRecord | null = null;
  let isSound = true;
  walkBlock({ firstId, lastId, body, sound: null }, 0, ({ walker }) => {
    isSound = isSound && walker?.isSound() === true;
    if (hit !== null || walker === null || at >= walker.bodyEnd) return isSound;
    const { deviceKey, epoch, seq, kind, bodyStart, bodyEnd } = walker;
    hit = { deviceKey, epoch, seq, kind, body: body.slice(bodyStart, bodyEnd) };
    return isSound;
  });
  return isSound ? hit : null;
}
