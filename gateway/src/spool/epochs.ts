/**
 * The life of an epoch in the tables: given at a Hello, used, retired by the next one [P-6] … [P-8].
 *
 *   Hello ──▶ offered ──first frame or heartbeat──▶ used ──a later epoch is used──▶ retired
 *                                                    │ writes the rollback that led to it,
 *                                                    └ and the open end of every older epoch
 */
import { writeGap } from "./gap-writer.js";
import { openEnd } from "./resume.js";
import { type Rollback, type StreamRow, StreamState, type StreamTables } from "./tables.js";

/**
 * Retired epochs remembered per device, so that one is never resumed. A device that reboots at every wake makes many;
 * one that comes back from further than this is adopted as unknown, with its gaps.
 */
export const RETIRED_KEPT = 256;

/** Epochs offered and never used that are remembered per device: bounds a device that only says Hello. */
export const OFFERED_KEPT = 8;

/** Draws before giving up: each one collides with chance (epochs known) / 2^32. */
const DRAWS_MAX = 64;

/**
 * A new epoch, put into the tables before anybody hears of it [P-6].
 *
 * @param draw a random number of 32 bits.
 */
export function openEpoch(
  tables: StreamTables,
  deviceKey: number,
  rollback: Rollback | null,
  draw: () => number,
): StreamRow {
  const stream: StreamRow = {
    deviceKey,
    epoch: unusedEpoch(tables, draw),
    mark: 0,
    announced: 0,
    state: StreamState.offered,
    isEnded: false,
    rollback,
  };
  tables.putStream(stream);
  tables.pruneStreams(deviceKey, StreamState.offered, OFFERED_KEPT);
  return stream;
}

function unusedEpoch(tables: StreamTables, draw: () => number): number {
  for (let i = 0; i < DRAWS_MAX; i++) {
    const epoch = draw() >>> 0;
    if (epoch !== 0 && !tables.isEpochKnown(epoch)) return epoch;
  }
  throw new Error(`${DRAWS_MAX} draws gave no unused epoch: the source of randomness is broken`);
}

/**
 * The device has used this epoch: older ones are over, and their open ends are told.
 *
 * @param atUnixMs when, for the gap entries.
 * @returns the streams that were retired, and how many gap entries were written.
 */
export function firstUse(
  tables: StreamTables,
  stream: StreamRow,
  atUnixMs: number,
): { readonly retired: readonly StreamRow[]; readonly gapCount: number } {
  const { deviceKey } = stream;
  let gapCount = 0;
  if (stream.rollback !== null) {
    gapCount += tellRollback(tables, { deviceKey, ...stream.rollback }, atUnixMs);
    stream.rollback = null;
  }
  const retired = tables.openStreams(deviceKey).filter((other) => other.epoch !== stream.epoch);
  for (const older of retired) {
    const end = openEnd(older);
    if (end !== null) {
      writeGap(tables, { deviceKey, epoch: older.epoch, ...end, reason: "restart", atUnixMs, sink: null });
      gapCount += 1;
    }
    older.state = StreamState.retired;
    older.rollback = null;
    tables.putStream(older);
  }
  stream.state = StreamState.used;
  tables.putStream(stream);
  tables.pruneStreams(deviceKey, StreamState.retired, RETIRED_KEPT);
  return { retired, gapCount };
}

/**
 * What the device sends again under the new epoch; and what it had evicted of the old one since that was retired, which
 * nobody could know then.
 *
 * @returns how many gap entries were written.
 */
function tellRollback(
  tables: StreamTables,
  rollback: Rollback & { readonly deviceKey: number },
  atUnixMs: number,
): number {
  const { deviceKey, epoch, fromSeq, toSeq } = rollback;
  const old = tables.stream(deviceKey, epoch);
  const heardOf = old === null ? fromSeq - 1 : Math.max(old.mark, old.announced);
  const isRetired = old?.state === StreamState.retired;
  const isEvicted = isRetired && fromSeq > heardOf + 1;
  if (isEvicted) {
    const range = { fromSeq: heardOf + 1, toSeq: fromSeq - 1 };
    writeGap(tables, { deviceKey, epoch, ...range, reason: "evicted", atUnixMs, sink: null });
  }
  writeGap(tables, { ...rollback, reason: "rollback", atUnixMs, sink: null });
  if (isRetired && toSeq > heardOf) tables.putStream({ ...old, announced: toSeq });
  return isEvicted ? 2 : 1;
}
