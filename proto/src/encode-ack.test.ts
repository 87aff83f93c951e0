/** The Ack by hand is the Ack. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { encodeDownlink } from "./codec.js";
import { encodeAck } from "./encode-ack.js";

it("gives the bytes of the generated encoder for every number [P-3]", () => {
  const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 21 - 1, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 32 - 1];
  const same = (seq: number) => {
    expect([...encodeAck(seq)]).toEqual([...encodeDownlink({ kind: "ack", ack: { seq } })]);
  };
  edges.forEach(same);
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), same));
});

it("refuses what is no u32", () => {
  for (const seq of [-1, 0.5, 2 ** 32, Number.NaN]) expect(() => encodeAck(seq)).toThrow(RangeError);
});
