/**
 * The CRC-32 of a record's row: over its body first, then over its numbers, so that no bit of what a record means can
 * change unseen.
 *
 *   0 u32 device_key   4 u32 epoch   8 u32 seq   12 u32 catalog   16 f64 received   24 f64 base   32 u8 kind
 *   33 u8 accuracy                                                                       little-endian
 */
import { crc32 } from "@tidegate/proto";

/** The numbers a record's CRC covers. */
export interface CrcFields {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly catalog: number;
  readonly receivedUnixMs: number;
  readonly baseUnixMs: number;
  readonly kind: number;
  readonly accuracy: number;
}

const scratch = new Uint8Array(34);
const view = new DataView(scratch.buffer);

/** @param bodyCrc CRC-32 of the body. */
export function rowCrc(fields: CrcFields, bodyCrc: number): number {
  view.setUint32(0, fields.deviceKey, true);
  view.setUint32(4, fields.epoch, true);
  view.setUint32(8, fields.seq, true);
  view.setUint32(12, fields.catalog, true);
  view.setFloat64(16, fields.receivedUnixMs, true);
  view.setFloat64(24, fields.baseUnixMs, true);
  view.setUint8(32, fields.kind);
  view.setUint8(33, fields.accuracy);
  return crc32(scratch, bodyCrc);
}
