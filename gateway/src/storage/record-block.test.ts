/** Blocks of records: what goes in comes out, and no bit changes unseen. */
import { crc32 } from "@tidegate/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { walkBlock } from "./block-rows.js";
import { soundPlaces, withHeadMended } from "./damaged-block.js";
import { BLOCK_BYTES, BlockBuilder, type BlockRecord, BlockWalker, blockCrc } from "./record-block.js";
import { crc32Of } from "./record-crc.js";
import { factsOf } from "./testing/stored-records.js";

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const unixMs = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  fc.double({ min: -1e15, max: 1e15, noNaN: true }).map((ms) => ms + 0),
  fc.constantFrom(0, 1_700_000_000_000.5, 2 ** 53, 8.64e15),
);

const record: fc.Arbitrary<BlockRecord> = fc
  .record({
    deviceKey: fc.oneof(fc.integer({ min: 1, max: 300 }), u32),
    epoch: u32,
    seq: u32,
    kind: fc.constantFrom(1, 2, 3, 4, 5),
    accuracy: fc.constantFrom(0, 1, 2),
    receivedUnixMs: unixMs,
    baseUnixMs: unixMs,
    catalog: fc.oneof(fc.integer({ min: 0, max: 200 }), u32),
    body: fc.uint8Array({ maxLength: 200 }),
  })
  .map((fields) => ({ ...fields, bodyCrc: crc32(fields.body) })) as fc.Arbitrary<BlockRecord>; // kinds are literals

function blockOf(records: readonly BlockRecord[], firstId = 1) {
  const builder = new BlockBuilder();
  for (const [i, one] of records.entries()) builder.add(firstId + i, one);
  const block = builder.finish();
  return { ...block, body: block.body.slice() };
}

const sample = (seq: number): BlockRecord => {
  const body = new Uint8Array(seq % 40).fill(seq);
  const times = { receivedUnixMs: 1_700_000_000_000 + seq * 10, baseUnixMs: 1_700_000_000_000 };
  return {
    deviceKey: seq % 7,
    epoch: 0xdead_beef,
    seq,
    kind: 1,
    accuracy: 1,
    ...times,
    catalog: 3,
    body,
    bodyCrc: crc32(body),
  };
};

describe("a block", () => {
  it("gives every record back as it was, whatever its numbers and times", () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 2 ** 50 }),
        (records, firstId) => {
          const block = blockOf(records, firstId);
          expect([block.firstId, block.lastId]).toEqual([firstId, firstId + records.length - 1]);
          const wanted = records.map(({ bodyCrc: _, ...facts }, i) => ({ id: firstId + i, ...facts }));
          expect(factsOf(block.body, firstId)).toEqual(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("is closed at its size, and takes one record of any size", () => {
    const builder = new BlockBuilder();
    let id = 0;
    while (builder.fits(40)) builder.add(++id, { ...sample(1), body: new Uint8Array(40), bodyCrc: 0 });
    const block = builder.finish();
    expect(block.body.length).toBeLessThanOrEqual(BLOCK_BYTES);
    expect(block.body.length).toBeGreaterThan(BLOCK_BYTES * 0.95);
    expect(builder.fits(1_000_000)).toBe(true);
    builder.add(id + 1, { ...sample(1), body: new Uint8Array(1_000_000), bodyCrc: 0 });
    expect(builder.fits(1)).toBe(false);
    expect(builder.finish()).toMatchObject({ firstId: id + 1, lastId: id + 1 });
  });

  it("computes the CRC-32 of zlib over a range", () => {
    fc.assert(
      // Of no bytes zlib answers 0, whatever the seed.
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(99), u32, (bytes, from, seed) => {
        const start = Math.min(from, bytes.length - 1);
        expect(crc32Of(bytes, start, bytes.length, seed)).toBe(crc32(bytes.subarray(start), seed));
      }),
    );
  });
});

describe("a damaged block", () => {
  const records = Array.from({ length: 16 }, (_, i) => sample(i + 1));
  const block = blockOf(records, 1_000);
  const facts = new Map(factsOf(block.body, 1_000).map((one) => [one.id, one]));

  it("is noticed, whichever bit flips, in its body or in the ids of its row", () => {
    const { body, firstId, lastId, crc } = block;
    for (let bit = 0; bit < body.length * 8; bit++) {
      const hit = flipped(body, bit);
      expect(blockCrc({ firstId, lastId, body: hit })).not.toBe(crc);
    }
    expect(blockCrc({ firstId: firstId + 1, lastId, body })).not.toBe(crc);
    expect(blockCrc({ firstId, lastId: lastId + 1, body })).not.toBe(crc);
  });

  it("still gives every record but the one that was hit, with its own id, and none altered", () => {
    const headBits = 9 * 8;
    for (let bit = headBits; bit < block.body.length * 8; bit += 5) {
      const found = readSound(flipped(block.body, bit));
      expect(found.length, `bit ${bit}`).toBeGreaterThanOrEqual(records.length - 1);
      for (const one of found) expect(one).toEqual(facts.get(one.id));
    }
  });

  it("names the record that was hit, also when it was hit in its own numbers", () => {
    for (let bit = 9 * 8; bit < block.body.length * 8; bit++) {
      const body = flipped(block.body, bit);
      const sound = new Map(soundPlaces(body, block.firstId, block.lastId).map(({ id, at }) => [id, at]));
      walkBlock({ ...block, body, sound }, 0, ({ id, walker, isLost }) => {
        if (isLost) expect({ bit, seq: walker?.seq, epoch: walker?.epoch }).toEqual({ bit, ...numbersAt(id) });
        return true;
      });
    }
  });

  it("is whole again when a bit of its own head was hit", () => {
    for (let bit = 0; bit < 9 * 8; bit++) {
      expect(withHeadMended({ ...block, body: flipped(block.body, bit) }, block.crc)).toEqual(block.body);
    }
    expect(withHeadMended({ ...block, body: flipped(block.body, 9 * 8) }, block.crc)).toBeNull();
  });

  it("gives no record at another time or place when its own head was hit", () => {
    for (let bit = 8; bit < 9 * 8; bit++) {
      for (const one of readSound(flipped(block.body, bit))) expect(one).toEqual(facts.get(one.id));
    }
  });

  it("loses only what lay in a stretch that was overwritten", () => {
    fc.assert(
      fc.property(fc.nat(block.body.length - 1), fc.nat(800), fc.nat(255), (from, length, byte) => {
        const hit = block.body.slice();
        hit.fill(byte, from, from + length);
        const found = readSound(hit);
        for (const one of found) expect(one).toEqual(facts.get(one.id));
        const least = records.length - Math.ceil(length / 20) - 2;
        if (from >= 9) expect(found.length).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 300 },
    );
  });

  it("is read to its end without an error when it is any bytes at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(soundPlaces(bytes, 1, 50)).toEqual([]);
        expect(soundPlaces(Uint8Array.of(1, ...bytes), 1, 50)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  function numbersAt(id: number) {
    const { seq, epoch } = facts.get(id) ?? {};
    return { seq, epoch };
  }

  function readSound(bytes: Uint8Array) {
    const walker = new BlockWalker(bytes, block.firstId);
    return soundPlaces(bytes, block.firstId, block.lastId).map(({ id, at }) => {
      walker.read(at);
      const { deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog } = walker;
      const body = bytes.slice(walker.bodyStart, walker.bodyEnd);
      return { id, deviceKey, epoch, seq, kind, receivedUnixMs, baseUnixMs, accuracy, catalog, body };
    });
  }
});

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const hit = bytes.slice();
  hit[bit >> 3] = (hit[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return hit;
}
