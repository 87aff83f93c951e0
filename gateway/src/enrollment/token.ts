/**
 * Bearer tokens: what a device (or the administrator) shows to prove who it is. Domain room `enrollment`, pure.
 *
 *   tg_ + 43 characters of base64url = 256 random bits          stored: hex SHA-256 of the whole text
 *
 * 256 random bits need no slow hash: nobody guesses them, and a stolen database holds nothing that can be shown.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Random } from "../core/random.js";

/** Begins every token, so that one is recognised in a log or a repository. */
export const TOKEN_PREFIX = "tg_";

/** Random bytes in a token. */
export const TOKEN_BYTES = 32;

/** Texts longer than this are not looked at: a token has 46 characters. */
export const TOKEN_CHARS_MAX = 256;

/** A new token. It leaves the process once; keep only `hashToken` of it. */
export function mintToken(random: Random): string {
  return TOKEN_PREFIX + Buffer.from(random.bytes(TOKEN_BYTES)).toString("base64url");
}

/** Hex SHA-256 of a token: what is stored and compared. */
export function hashToken(token: string): string {
  return createHash("sha256").update(token, "utf8").digest("hex");
}

/** Does the shown text have this hash? Takes the same time whatever is wrong with it. */
export function tokenMatches(shown: string, tokenHash: string): boolean {
  if (shown.length > TOKEN_CHARS_MAX) return false;
  const actual = Buffer.from(hashToken(shown));
  const expected = Buffer.from(tokenHash);
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** The token of an `Authorization: Bearer …` header; null when the header is something else. */
export function bearerToken(header: string | undefined): string | null {
  if (header === undefined || header.length > TOKEN_CHARS_MAX + 16) return null;
  return /^bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header)?.[1] ?? null;
}
