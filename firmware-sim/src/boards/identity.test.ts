/** The identity page: bytes where demo/board.h reads them, and what does not fit. */
import { describe, expect, it } from "vitest";
import { identityPage } from "./identity.js";

const WHO = { id: "sim-uno-1", token: "tgd_secret", seed: 0x01020304, intervalMs: 250 };

describe("the identity page", () => {
  it("holds magic, id, token, seed and interval", () => {
    const page = identityPage(WHO);
    expect(page).toHaveLength(108);
    expect(page.toString("latin1", 0, 14)).toBe("TGIDsim-uno-1\0");
    expect(page.toString("latin1", 36, 47)).toBe("tgd_secret\0");
    expect([page.readUInt32LE(100), page.readUInt32LE(104)]).toEqual([0x01020304, 250]);
  });

  it("refuses what a board has no room for: its fields end with a zero", () => {
    expect(identityPage({ ...WHO, id: "x".repeat(31), token: "t".repeat(63) })).toHaveLength(108);
    expect(() => identityPage({ ...WHO, id: "x".repeat(32) })).toThrow(/no room for the id/);
    expect(() => identityPage({ ...WHO, token: "t".repeat(64) })).toThrow(/no room for the token/);
  });
});
