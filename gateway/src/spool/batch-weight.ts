/**
 * What a batch would add to the spool, told from its entries' kinds alone.
 */
import { BatchReader, EntryKind } from "../model/batch.js";
import type { GatherBatch } from "../model/spool.js";

const LIGHT_KINDS: ReadonlySet<number> = new Set([EntryKind.announce, EntryKind.duplicate, EntryKind.commandUpdate]);

/** Does the batch bring anything that takes room? Announcements, repeats and command updates do not. */
export function bringsRecords(batch: GatherBatch): boolean {
  const reader = new BatchReader(batch);
  while (reader.next()) if (!LIGHT_KINDS.has(reader.entry.kind)) return true;
  return false;
}
