/**
 * Hash and parts of a catalog.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalogHash, joinCatalog, splitCatalog } from "./catalog.js";
import { decodeCatalog, encodeCatalog, encodeUplink } from "./codec.js";
import { crc32 } from "./crc.js";
import type { Catalog } from "./messages.js";
import { catalogs } from "./testing/arbitraries.js";
import { bytesOf, catalogVectors, titleOf } from "./testing/vectors.js";

const filled = catalogs.filter((catalog) => catalog.signals.length + catalog.commands.length > 0);

function must(bytes: Uint8Array): Catalog {
  const decoded = decodeCatalog(bytes);
  if (!decoded.ok) throw new Error(decoded.error.detail);
  return decoded.value;
}

describe("golden vectors, catalog", () => {
  it.each(catalogVectors.map((v) => [titleOf(v), v] as const))("%s", (_title, vector) => {
    const parts = vector.parts.map(bytesOf);
    expect(catalogHash(...parts)).toBe(vector.hash);
    if (parts.length > 1)
      expect(joinCatalog(parts.map(must))).toMatchObject({ ok: true, value: { hash: vector.hash } });
  });
});

describe("[P-26] the hash", () => {
  it("is the CRC-32 of the encoded signals and commands", () => {
    const signals = encodeCatalog({ ...must(bytesOf(catalogVectors[2]?.parts[0] ?? "")), hash: 0, part: 0, parts: 0 });
    expect(catalogHash(signals)).toBe(crc32(signals));
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect(crc32(signals.subarray(5), crc32(signals.subarray(0, 5)))).toBe(crc32(signals));
  });

  it("does not cover hash, part, parts and unknown fields", () => {
    const bytes = bytesOf(catalogVectors[2]?.parts[0] ?? "");
    const unknown = bytesOf("f80105f9010102030405060708fa0103010203fd0101020304");
    expect(catalogHash(Uint8Array.of(...unknown, ...bytes))).toBe(catalogHash(bytes));
  });

  it("says so when the bytes are no catalog", () => {
    for (const hex of ["22", "2205", "80", "09", "0b", "25"])
      expect(() => catalogHash(bytesOf(hex))).toThrow(RangeError);
  });
});

describe("[P-27] parts", () => {
  it("any catalog, cut for any frame, comes together again under the same hash", () => {
    fc.assert(
      fc.property(filled, fc.integer({ min: 512, max: 4096 }), (catalog, bytesMax) => {
        const whole = splitCatalog(catalog, 65_536);
        let parts: Catalog[];
        try {
          parts = splitCatalog(catalog, bytesMax);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        for (const part of parts) {
          const uplink = { seq: 0xffff_ffff, gap: 0xffff_ffff, body: { kind: "catalog" as const, catalog: part } };
          expect(encodeUplink(uplink).length).toBeLessThanOrEqual(bytesMax);
        }
        const { signals, commands } = catalog;
        const joined = { hash: whole[0]?.hash, part: 0, parts: 1, signals, commands };
        expect(joinCatalog([...parts].reverse())).toEqual({ ok: true, value: joined });
        expect(parts.every((part) => part.hash === whole[0]?.hash)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  const [first, second, third, fourth] = (catalogVectors[1]?.parts ?? []).map((part) => must(bytesOf(part)));
  const all = [first, second, third, fourth].filter((part) => part !== undefined);

  it("a missing, repeated or strange part is no catalog", () => {
    const [a, b, c, d] = all;
    if (!a || !b || !c || !d) throw new Error("the vector has four parts");
    expect(joinCatalog([])).toMatchObject({ error: { code: "empty" } });
    expect(joinCatalog([a, b, c])).toMatchObject({ error: { code: "truncated" } });
    expect(joinCatalog([a, b, c, c])).toMatchObject({ error: { code: "malformed" } });
    expect(joinCatalog([a, b, c, { ...d, hash: 1 }])).toMatchObject({ error: { code: "malformed" } });
    expect(joinCatalog([a, b, c, { ...d, parts: 5 }])).toMatchObject({ error: { code: "malformed" } });
    expect(joinCatalog([{ ...a, parts: 0xffff_ffff }])).toMatchObject({ error: { code: "too_many" } });
  });

  it("parts 0 and 1 both mean whole", () => {
    const [part] = all;
    if (!part) throw new Error("the vector has parts");
    for (const parts of [0, 1]) expect(joinCatalog([{ ...part, parts }])).toMatchObject({ ok: true });
  });

  it("an entry that does not fit a frame alone is refused, and so are too many parts", () => {
    const [part] = all;
    const signal = part?.signals[0];
    if (!part || !signal) throw new Error("the vector has signals");
    expect(() => splitCatalog(part, 64)).toThrow(/one catalog entry/);
    expect(() => splitCatalog({ ...part, signals: Array.from({ length: 200 }, () => signal) }, 120)).toThrow(/parts/);
    const many: Catalog[] = [0, 1].map((n) => ({
      ...part,
      part: n,
      parts: 2,
      signals: Array.from({ length: 600 }, () => signal),
    }));
    expect(joinCatalog(many)).toMatchObject({ error: { code: "too_many" } });
  });

  it("an empty catalog is one part with hash 0", () => {
    const empty = { hash: 9, part: 9, parts: 9, signals: [], commands: [] };
    expect(splitCatalog(empty, 65_536)).toEqual([{ ...empty, hash: 0, part: 0, parts: 1 }]);
  });
});
