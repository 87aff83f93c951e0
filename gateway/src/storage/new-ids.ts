/**
 * Names the store gives: its own, and those of commands.
 */
import type { Random } from "../core/random.js";

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** `cmd_` and 128 random bits in 22 characters. */
export function newCommandId(random: Random): string {
  return `cmd_${base62(random.bytes(16), 22)}`;
}

/** A name for this incarnation of the store. */
export function newStoreId(random: Random): string {
  return base62(random.bytes(12), 16);
}

function base62(bytes: Uint8Array, charCount: number): string {
  let number = 0n;
  for (const byte of bytes) number = number * 256n + BigInt(byte);
  let text = "";
  for (let i = 0; i < charCount; i++) {
    text = BASE62.charAt(Number(number % 62n)) + text;
    number /= 62n;
  }
  return text;
}
