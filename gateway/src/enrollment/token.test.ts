/** Tokens: their shape, their hash, and how they are taken from a header. */
import { describe, expect, it } from "vitest";
import { SystemRandom } from "../core/random.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { bearerToken, hashToken, mintToken, tokenMatches } from "./token.js";

describe("a token", () => {
  it("is tg_ and 256 random bits", () => {
    const tokens = new Set(Array.from({ length: 1000 }, () => mintToken(new SystemRandom())));
    expect(tokens.size).toBe(1000);
    for (const token of tokens) expect(token).toMatch(/^tg_[A-Za-z0-9_-]{43}$/);
  });

  it("is compared by its SHA-256", () => {
    const token = mintToken(new SeededRandom(7));
    expect(hashToken("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(tokenMatches(token, hashToken(token))).toBe(true);
    expect(tokenMatches(`${token}x`, hashToken(token))).toBe(false);
    expect(tokenMatches("", hashToken(token))).toBe(false);
    expect(tokenMatches("x".repeat(100_000), hashToken(token))).toBe(false);
    expect(tokenMatches(token, "")).toBe(false);
  });
});

describe("the Authorization header", () => {
  it("yields a bearer token whatever the case of the scheme", () => {
    expect(bearerToken("Bearer tg_abc")).toBe("tg_abc");
    expect(bearerToken("bearer  tg_abc ")).toBe("tg_abc");
  });

  it("yields nothing for other schemes, several words, or endless text", () => {
    for (const header of [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      "Basic dGc6eA==",
      "Bearer a b",
      `Bearer ${"a".repeat(9999)}`,
    ]) {
      expect(bearerToken(header)).toBeNull();
    }
  });
});
