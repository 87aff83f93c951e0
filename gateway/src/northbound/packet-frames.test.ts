/** Packets are cut the same however their bytes arrive; nothing above the limit is kept. */
import fc from "fast-check";
import { generate } from "mqtt-packet";
import { expect, test } from "vitest";
import { PacketFrames, readPuback } from "./packet-frames.js";

function cut(chunks: readonly Buffer[], bytesMax = 1_000): { packets: string[]; isGood: boolean } {
  const packets: string[] = [];
  const frames = new PacketFrames(bytesMax, (packet) => packets.push(packet.toString("hex")));
  const isGood = chunks.every((chunk) => frames.push(chunk));
  return { packets, isGood };
}

const packet = fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 300 })).map(([first, body]) => {
  const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.from([first, ...length, ...body]);
});

test("however the bytes are chunked, the same packets come out", () => {
  fc.assert(
    fc.property(
      fc.array(packet, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (packets, sizes) => {
        const bytes = Buffer.concat(packets);
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          chunks.push(Buffer.from(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(cut(chunks)).toEqual({ packets: packets.map((each) => each.toString("hex")), isGood: true });
        expect(cut([bytes]).packets).toEqual(packets.map((each) => each.toString("hex")));
      },
    ),
  );
});

test.each([
  ["a length above the limit", [0x30, 0xff, 0x7f]],
  ["the largest length there is", [0x30, 0xff, 0xff, 0xff, 0x7f]],
  ["a length of five bytes", [0x30, 0x80, 0x80, 0x80, 0x80, 0x01]],
])("%s is refused as soon as it is known", (_what, bytes) => {
  expect(cut([Buffer.from(bytes)])).toEqual({ packets: [], isGood: false });
  expect(cut(bytes.map((byte) => Buffer.from([byte]))).isGood).toBe(false);
});

test("random bytes never throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => void cut(chunks.map((c) => Buffer.from(c)))),
  );
});

test("a PUBACK is read as mqtt-packet writes it, with any reason code", () => {
  const plain = generate({ cmd: "puback", messageId: 258 }, { protocolVersion: 4 });
  expect(readPuback(plain)).toEqual({ messageId: 258, reasonCode: 0 });
  const refusal = generate({ cmd: "puback", messageId: 65_535, reasonCode: 0x97 }, { protocolVersion: 5 });
  expect(readPuback(refusal)).toEqual({ messageId: 65_535, reasonCode: 0x97 });
  const properties = { reasonString: "x".repeat(200) };
  const long = generate({ cmd: "puback", messageId: 7, reasonCode: 0x87, properties }, { protocolVersion: 5 });
  expect(readPuback(long)).toEqual({ messageId: 7, reasonCode: 0x87 });
});
