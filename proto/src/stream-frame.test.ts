/**
 * Framing on a byte stream: the golden vectors, and what noise may cost.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SERIAL_MESSAGE_BYTES_MAX } from "./limits.js";
import { encodeStreamFrame, StreamDecoder } from "./stream-frame.js";
import { bytesOf, hexOf, streamVectors, titleOf } from "./testing/vectors.js";

const message = fc.uint8Array({ minLength: 1, maxLength: 600 });
const messages = fc.array(message, { maxLength: 8 });

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

describe("golden vectors, stream", () => {
  it.each(streamVectors.map((v) => [titleOf(v), v] as const))("%s", (_title, vector) => {
    const decoder = new StreamDecoder(vector.messageBytesMax);
    const decoded = decoder.push(bytesOf(vector.wire));
    expect(decoded.map(hexOf)).toEqual(vector.messages);
    expect(decoder.stats).toEqual(vector.stats);
    if (!vector.decodeOnly) expect(hexOf(encodeStreamFrame(bytesOf(vector.messages[0] ?? "")))).toBe(vector.wire);
  });
});

describe("[P-37] framing", () => {
  it("gives back what was framed, whatever the chunks it came in", () => {
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 50 })), (sent, sizes) => {
        const wire = concat(sent.map(encodeStreamFrame));
        const decoder = new StreamDecoder();
        const received: Uint8Array[] = [];
        for (let pos = 0, i = 0; pos < wire.length; i += 1) {
          const size = sizes[i % sizes.length] ?? wire.length;
          received.push(...decoder.push(wire.subarray(pos, pos + size)));
          pos += size;
        }
        expect(received).toEqual(sent);
        expect(decoder.stats).toEqual({ frames: sent.length, crcErrors: 0, oversized: 0, noise: 0 });
      }),
      { numRuns: 300 },
    );
  });

  it("a frame has one zero, at its end, and COBS adds one byte in 254", () => {
    fc.assert(
      fc.property(message, (bytes) => {
        const frame = encodeStreamFrame(bytes);
        expect(frame.indexOf(0)).toBe(frame.length - 1);
        expect(frame.length).toBeLessThanOrEqual(bytes.length + 6 + Math.floor((bytes.length + 4) / 254));
      }),
      { numRuns: 300 },
    );
  });

  it("refuses to frame nothing", () => {
    expect(() => encodeStreamFrame(new Uint8Array(0))).toThrow(RangeError);
  });

  it("refuses a limit that is none", () => {
    for (const limit of [0, -1, 1.5, Number.NaN]) expect(() => new StreamDecoder(limit)).toThrow(RangeError);
  });
});

describe("[P-38] noise", () => {
  it("one changed byte costs one frame, or the two it separated", () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 3, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (sent, at, xor) => {
          const wire = concat(sent.map(encodeStreamFrame));
          const place = at % wire.length;
          const wasBorder = wire[place] === 0;
          wire[place] = (wire[place] ?? 0) ^ xor;
          const received = new StreamDecoder().push(wire);
          expect(received.length).toBeGreaterThanOrEqual(sent.length - (wasBorder ? 2 : 1));
          // A subsequence of what was sent: nothing invented, nothing out of order.
          let from = 0;
          for (const bytes of received) {
            from = sent.findIndex((original, i) => i >= from && hexOf(original) === hexOf(bytes)) + 1;
            expect(from).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("after any bytes and a zero the next frame is received", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), message, (noise, bytes) => {
        const decoder = new StreamDecoder();
        decoder.push(noise);
        decoder.push(Uint8Array.of(0));
        expect(decoder.push(encodeStreamFrame(bytes))).toEqual([bytes]);
      }),
      { numRuns: 300 },
    );
  });

  it("bytes without an end take no memory beyond the limit and are counted once", () => {
    const decoder = new StreamDecoder(16);
    for (let i = 0; i < 1000; i += 1) expect(decoder.push(new Uint8Array(1000).fill(0x55))).toEqual([]);
    decoder.push(Uint8Array.of(0));
    expect(decoder.stats).toEqual({ frames: 0, crcErrors: 0, oversized: 1, noise: 0 });
  });

  it("takes a megabyte of anything in linear time", () => {
    const started = process.hrtime.bigint();
    const decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
    for (const fill of [0x00, 0x01, 0x02, 0x55, 0xff]) decoder.push(new Uint8Array(1_000_000).fill(fill));
    expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2_000);
  });

  it("reset forgets a frame that was half received", () => {
    const frame = encodeStreamFrame(Uint8Array.of(1, 2, 3));
    const decoder = new StreamDecoder();
    decoder.push(frame.subarray(0, 4));
    decoder.reset();
    expect(decoder.push(frame)).toEqual([Uint8Array.of(1, 2, 3)]);
    expect(decoder.stats.noise).toBe(0);
  });

  it("messages are copies: the next frame does not change them", () => {
    const decoder = new StreamDecoder();
    const [first] = decoder.push(encodeStreamFrame(Uint8Array.of(1, 2, 3)));
    decoder.push(encodeStreamFrame(Uint8Array.of(9, 9, 9)));
    expect(first).toEqual(Uint8Array.of(1, 2, 3));
  });
});
