/**
 * One-use login codes: what stands behind `#` in the printed login link.
 *
 *   issue ──▶ waiting ──take──▶ gone
 *                └──10 min──▶ gone
 *
 * 26 of 30 letters each (127 random bits), kept as hashes, few at a time. The fragment of a link never reaches a
 * server log: the login page posts it.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { Random } from "../core/random.js";

export const LOGIN_CODE_MS_MAX = 10 * 60 * 1000;
/** More than this many open links make the oldest one void. */
const CODES_MAX = 16;
const CODE_CHARACTERS = 26;
/** No I, L, O, U, 0 or 1: read aloud and typed without doubt. */
const ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789";

/** The open login codes of this process. */
export class LoginCodes {
  /** How long a code works, in ms. */
  readonly lifetimeMs: number;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Hash of the code → monotonic ms at which it ends; in order of issue. */
  readonly #endMs = new Map<string, number>();

  constructor(clock: Clock, random: Random, lifetimeMs = LOGIN_CODE_MS_MAX) {
    this.lifetimeMs = lifetimeMs;
    this.#clock = clock;
    this.#random = random;
  }

  /** A fresh code, good for one login within ten minutes. */
  issue(): string {
    this.#dropEnded();
    const oldest = this.#endMs.keys().next().value;
    if (this.#endMs.size >= CODES_MAX && oldest !== undefined) this.#endMs.delete(oldest);
    const code = letters(this.#random, CODE_CHARACTERS);
    this.#endMs.set(digest(code), this.#clock.monoMs() + this.lifetimeMs);
    return code;
  }

  /** Use a code up. True when it was good: known, not used, not ended. Case and dashes do not matter. */
  take(code: string): boolean {
    this.#dropEnded();
    return this.#endMs.delete(digest(code.replaceAll("-", "").toUpperCase()));
  }

  #dropEnded(): void {
    const now = this.#clock.monoMs();
    for (const [hash, endMs] of this.#endMs) if (endMs <= now) this.#endMs.delete(hash);
  }
}

/** `count` letters, each uniform: bytes that would favour some are thrown away. */
function letters(random: Random, count: number): string {
  const fair = 256 - (256 % ALPHABET.length);
  let text = "";
  while (text.length < count) {
    for (const byte of random.bytes(count)) {
      if (byte < fair && text.length < count) text += ALPHABET.charAt(byte % ALPHABET.length);
    }
  }
  return text;
}

const digest = (code: string): string => createHash("sha256").update(code).digest("hex");
