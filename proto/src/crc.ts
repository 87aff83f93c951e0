/**
 * CRC-32 as in IEEE 802.3, zlib and PNG: polynomial 0xEDB88320 (reflected), start and final xor 0xFFFFFFFF.
 *
 * Guards serial frames and names catalogs. `crc32("123456789")` is 0xCBF43926.
 */
import { crc32 as zlibCrc32 } from "node:zlib";

/**
 * The CRC-32 of some bytes.
 *
 * @param bytes what to check; only read
 * @param seed the CRC of the bytes before, to continue it; 0 to begin
 * @returns an unsigned 32-bit number
 */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return zlibCrc32(bytes, seed);
}
