/**
 * Writes a gap twice, in one transaction: into the permanent list, and as a record, so that sinks get it in order.
 */
import { crc32 } from "@tidegate/proto";
import { Accuracy, type GapBody, RecordKind } from "../model/record.js";
import type { GapDraft, StreamTables } from "./tables.js";

const encoder = new TextEncoder();

/** @returns the id of the gap record. */
export function writeGap(tables: Pick<StreamTables, "addGap" | "addRecord">, gap: GapDraft): number {
  tables.addGap(gap);
  return writeGapRecord(tables, gap);
}

/** The in-band half alone: for a gap that is already in the permanent list. */
export function writeGapRecord(tables: Pick<StreamTables, "addRecord">, gap: GapDraft): number {
  const body: GapBody = { fromSeq: gap.fromSeq, toSeq: gap.toSeq, reason: gap.reason, sink: gap.sink };
  const bytes = encoder.encode(JSON.stringify(body));
  return tables.addRecord({
    deviceKey: gap.deviceKey,
    epoch: gap.epoch,
    seq: gap.fromSeq,
    kind: RecordKind.gap,
    accuracy: Accuracy.device,
    receivedUnixMs: gap.atUnixMs,
    baseUnixMs: gap.atUnixMs,
    catalog: 0,
    bodyCrc: crc32(bytes),
    body: bytes,
  });
}
