/**
 * The page that tells an emulated board who it is; a real one gets it from its flash script. firmware/demo/board.h
 * reads it.
 *
 *   0     4        36        100      104         108
 *   | TGID | id, 0… | token, 0… | seed  | interval ms |      numbers little-endian
 */
import { usageError } from "../sim-error.js";

/** Who a board is, and how often it reports. */
export interface BoardIdentity {
  /** At most 31 characters: a small board has no room for more. */
  readonly id: string;
  /** A secret; at most 63 characters. */
  readonly token: string;
  /** What boot nonce and jitter come from on boards without random numbers; another one at every boot. u32 */
  readonly seed: number;
  /** Time between two readings, in ms, 1 … 2^32 − 2. */
  readonly intervalMs: number;
}

const MAGIC = "TGID";
const ID_AT = 4;
const TOKEN_AT = 36;
const SEED_AT = 100;
const INTERVAL_AT = 104;
const PAGE_BYTES = 108;

/** Longest id of a board; one byte of its field is the zero behind it. */
export const BOARD_ID_BYTES_MAX = TOKEN_AT - ID_AT - 1;

/** The page. @throws SimError usage, when the id or the token is longer than the board's fields */
export function identityPage({ id, token, seed, intervalMs }: BoardIdentity): Buffer {
  if (Buffer.byteLength(id) > BOARD_ID_BYTES_MAX) {
    throw usageError(
      `a board has no room for the id "${id}"`,
      `use a shorter --prefix: ids of boards have 31 characters`,
    );
  }
  if (Buffer.byteLength(token) >= SEED_AT - TOKEN_AT) {
    throw usageError(
      `a board has no room for the token of ${id}`,
      "give the device a new one: `tidegate device replace`",
    );
  }
  const page = Buffer.alloc(PAGE_BYTES);
  page.write(MAGIC, 0);
  page.write(id, ID_AT);
  page.write(token, TOKEN_AT);
  page.writeUInt32LE(seed >>> 0, SEED_AT);
  page.writeUInt32LE(Math.max(1, Math.round(intervalMs)), INTERVAL_AT);
  return page;
}
