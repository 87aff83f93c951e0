/**
 * The rows of `records` as blocks: found by id, checked against their CRC, walked record by record. For the writing and
 * the reading side alike; every call is one short query.
 */
import type { Database, Statement } from "better-sqlite3";
import { soundPlaces, withHeadMended, withNumbersMended } from "./damaged-block.js";
import { BLOCK_HEAD_BYTES, BlockWalker, blockCrc } from "./record-block.js";

type Row = [lastId: number, firstId: number, crc: number, body: Uint8Array];

/** One block as read. */
export interface BlockRow {
  readonly firstId: number;
  readonly lastId: number;
  readonly body: Uint8Array;
  /** Where its sound records lie; null when the whole block fits its CRC. */
  readonly sound: ReadonlyMap<number, number> | null;
}

/** Reads blocks over a connection of the caller. */
export class BlockRows {
  readonly #after: Statement<[number], Row>;
  readonly #bounds: Statement<[], { oldest: number | null; last: number | null }>;
  /** Blocks never change: the one read last serves those who read on in the middle of it. */
  #latest: BlockRow | null = null;

  constructor(db: Database) {
    this.#after = db
      .prepare<[number], Row>(
        "SELECT last_id, first_id, crc, body FROM records WHERE last_id > ? ORDER BY last_id LIMIT 1",
      )
      .raw();
    this.#bounds = db.prepare(
      `SELECT (SELECT first_id FROM records ORDER BY last_id LIMIT 1) AS oldest,
              (SELECT seq FROM sqlite_sequence WHERE name = 'records') AS last`,
    );
  }

  /** The block that holds the first record behind an id; null when there is none. */
  after(id: number): BlockRow | null {
    const latest = this.#latest;
    if (latest !== null && id >= latest.firstId && id < latest.lastId) return latest;
    const row = this.#after.get(id);
    if (row === undefined) return null;
    const [lastId, foundFirstId, crc, body] = row;
    // A record has more than one byte: whatever claims more of them is damaged, and must not keep us counting.
    const firstId = Math.min(Math.max(foundFirstId, lastId - body.length), lastId);
    this.#latest = checked({ firstId, lastId, body }, crc);
    return this.#latest;
  }

  /** Forget the block read last: it may be deleted, or the transaction that wrote it undone. */
  forget(): void {
    this.#latest = null;
  }

  /** The oldest id stored (last + 1 when there is none), and the last id ever given. */
  bounds(): { readonly oldestId: number; readonly lastId: number } {
    const row = this.#bounds.get();
    const lastId = row?.last ?? 0;
    return { oldestId: row?.oldest ?? lastId + 1, lastId };
  }
}

function checked(block: Pick<BlockRow, "firstId" | "lastId" | "body">, crc: number): BlockRow {
  if (blockCrc(block) === crc) return { ...block, sound: null };
  const mended = withHeadMended(block, crc);
  if (mended !== null) return { ...block, body: mended, sound: null };
  const places = soundPlaces(block.body, block.firstId, block.lastId);
  return { ...block, sound: new Map(places.map(({ id, at }) => [id, at])) };
}

/** What a visitor of records is given. */
export interface Visited {
  readonly id: number;
  /** Filled with the record; its bytes are the block's. Of a lost record: what it claims, or null. */
  readonly walker: BlockWalker | null;
  /** It does not fit its checksum. */
  readonly isLost: boolean;
}

/**
 * Visit the records of a block behind an id, in order.
 *
 * @param visit answers whether to go on. The object it gets is used again for the next record.
 */
export function walkBlock(block: BlockRow, afterId: number, visit: (visited: Visited) => boolean): void {
  const walker = new BlockWalker(block.body, block.firstId);
  const visited: { id: number; walker: BlockWalker | null; isLost: boolean } = { id: 0, walker, isLost: false };
  let at = BLOCK_HEAD_BYTES;
  for (let id = block.firstId; id <= block.lastId; id++) {
    const soundAt = block.sound?.get(id);
    if (soundAt !== undefined) at = soundAt;
    const end = at < 0 || at >= block.body.length ? -1 : walker.read(at);
    visited.isLost = end < 0 || (block.sound !== null && soundAt === undefined);
    visited.walker = visited.isLost ? (numbersOf(block, id, at) ?? (end < 0 ? null : walker)) : walker;
    visited.id = id;
    at = end;
    if (id > afterId && !visit(visited)) return;
  }
}

/** The numbers of a lost record, where both neighbours are sound: what it says itself may be what was hit. */
function numbersOf({ firstId, lastId, body, sound }: BlockRow, id: number, from: number): BlockWalker | null {
  const to = id === lastId ? body.length : sound?.get(id + 1);
  const isBehindSound = id === firstId || sound?.has(id - 1) === true;
  if (to === undefined || !isBehindSound || from < 0 || from >= to) return null;
  return withNumbersMended({ firstId, body }, { from, to });
}
