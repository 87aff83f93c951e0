/** Writes the record of a number that carried no reading: a catalog, a command update. */
import { crc32 } from "@tidegate/proto";
import { Accuracy, RecordKind, type ServiceBody } from "../model/record.js";
import type { StreamTables } from "./tables.js";

/** The frame that used the number. */
export interface ServiceFrame {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly receivedUnixMs: number;
}

const encoder = new TextEncoder();

/** @returns the record's id. */
export function writeService(
  tables: Pick<StreamTables, "addRecord">,
  frame: ServiceFrame,
  carries: ServiceBody["carries"],
): number {
  const service: ServiceBody = { carries };
  const body = encoder.encode(JSON.stringify(service));
  const { deviceKey, epoch, seq, receivedUnixMs } = frame;
  return tables.addRecord({
    deviceKey,
    epoch,
    seq,
    kind: RecordKind.service,
    accuracy: Accuracy.device,
    receivedUnixMs,
    baseUnixMs: receivedUnixMs,
    catalog: 0,
    bodyCrc: crc32(body),
    body,
  });
}
