// What rows need, and that each row is whole.

import { describe, expect, it } from "vitest";
import { missingPackages } from "./installed.mjs";
import { ROWS } from "./rows/index.mjs";

describe("programs that rows need", () => {
  it("each come with a package that an install line can name", () => {
    const programs = ROWS.flatMap(({ programs }) => Object.values(programs).flat());
    for (const program of programs) expect(missingPackages([program], () => null)).not.toEqual([]);
  });

  it("are not asked for when they are here", () => {
    expect(missingPackages(["mosquitto"], () => "/usr/sbin/mosquitto")).toEqual([]);
  });

  it("are named once, even when two come in one package", () => {
    expect(missingPackages(["mosquitto_sub", "mosquitto_pub"], () => null)).toEqual(["mosquitto-clients"]);
  });
});

describe("the rows", () => {
  it("have ids of their own, and measure us first and at least one peer", () => {
    expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length);
    for (const { contenders } of ROWS) {
      const [first, ...peers] = Object.keys(contenders);
      expect(first).toBe("ours");
      expect(peers.length).toBeGreaterThan(0);
    }
  });

  it("compare with a peer that they measure", () => {
    for (const { contenders, against } of ROWS) {
      expect([...Object.keys(contenders), "fastest"]).toContain(against);
    }
  });
});
