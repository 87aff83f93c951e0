/** Whatever arrives and however it is cut, the messages and the end are those that `ws` alone would have come to. */
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { WholeFrames } from "./whole-frames.js";

const PAYLOAD_BYTES_MAX = 70_000;

interface Frame {
  readonly first: number;
  readonly isMasked: boolean;
  /** How the length is written, whatever it is: 7, 16 or 64 bits. */
  readonly lengthBits: 7 | 16 | 64;
  readonly payload: Uint8Array;
}

function bytesOf({ first, isMasked, lengthBits, payload }: Frame, mask: Uint8Array): Buffer {
  const head = Buffer.alloc(2 + (lengthBits === 7 ? 0 : lengthBits / 8));
  head[0] = first;
  if (lengthBits === 7) head[1] = payload.length;
  else if (lengthBits === 16) head.writeUInt16BE(payload.length, 2);
  else head.writeBigUInt64BE(BigInt(payload.length), 2);
  if (lengthBits !== 7) head[1] = lengthBits === 16 ? 126 : 127;
  if (isMasked) head[1] = (head[1] ?? 0) | 0x80;
  const masked = payload.map((byte, i) => (isMasked ? byte ^ (mask[i % 4] ?? 0) : byte));
  return Buffer.concat(isMasked ? [head, mask, masked] : [head, masked]);
}

/** What came of it: messages in order, and the fault that ended it, if any. */
interface Outcome {
  readonly messages: string[];
  error: string | null;
  closed: number | null;
}

/** `ws`'s own receiver on a stream of its own, as a server has it. */
function reader(outcome: Outcome): { feed(bytes: Buffer): void; isOpen(): boolean } {
  const stream = new PassThrough();
  // The constructor for upgraded sockets is not in the types; `null` means "made by a server".
  const websocket: WebSocket = Reflect.construct(WebSocket, [null, undefined, { autoPong: false }]);
  Object.assign(websocket, { _isServer: true });
  const options = { allowSynchronousEvents: true, maxPayload: PAYLOAD_BYTES_MAX, maxFragments: 16 };
  Reflect.get(websocket, "setSocket").call(websocket, stream, Buffer.alloc(0), options);
  websocket.on("message", (data: Buffer, isBinary) => {
    if (websocket.readyState === WebSocket.OPEN)
      outcome.messages.push(`${isBinary ? "b" : "t"}${data.toString("hex")}`);
  });
  websocket.on("ping", (data: Buffer) => outcome.messages.push(`ping ${data.toString("hex")}`));
  websocket.on("error", (error) => {
    outcome.error ??= error.message;
  });
  const receiver = Reflect.get(websocket, "_receiver");
  receiver.on("conclude", (code: number) => {
    outcome.closed = code;
  });
  return { feed: (bytes) => receiver.write(bytes), isOpen: () => websocket.readyState === WebSocket.OPEN };
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const to of [...sorted, bytes.length]) {
    if (to > from) chunks.push(Buffer.from(bytes.subarray(from, to)));
    from = to;
  }
  return chunks;
}

function alone(chunks: readonly Buffer[]): Outcome {
  const outcome: Outcome = { messages: [], error: null, closed: null };
  const ws = reader(outcome);
  for (const chunk of chunks) if (outcome.error === null) ws.feed(Buffer.from(chunk));
  return outcome;
}

function together(chunks: readonly Buffer[]): { outcome: Outcome; short: number } {
  const outcome: Outcome = { messages: [], error: null, closed: null };
  let short = 0;
  const ws = reader(outcome);
  const frames = new WholeFrames(PAYLOAD_BYTES_MAX, {
    message: (payload) => {
      short += 1;
      if (ws.isOpen()) outcome.messages.push(`b${Buffer.from(payload).toString("hex")}`);
    },
    other: (bytes) => {
      if (outcome.error === null) ws.feed(Buffer.from(bytes));
    },
  });
  for (const chunk of chunks) frames.take(Buffer.from(chunk));
  return { outcome, short };
}

const anyFrame = fc
  .record({
    first: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0x82) },
      { weight: 4, arbitrary: fc.constantFrom(0x02, 0x00, 0x80, 0x81, 0x01, 0x89, 0x8a) },
      { weight: 1, arbitrary: fc.constantFrom(0x88, 0xc2, 0x83, 0x09, 0xa2) },
    ),
    isMasked: fc.oneof({ weight: 30, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    lengthBits: fc.constantFrom<(7 | 16 | 64)[]>(7, 7, 7, 16, 64),
    payload: fc.oneof(
      { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
      { weight: 1, arbitrary: fc.constantFrom(125, 126, 200, 65_535, 65_536, 70_001).map((n) => new Uint8Array(n)) },
    ),
  })
  .map((frame) => ({ ...frame, lengthBits: fitting(frame) }));

function fitting({ lengthBits, payload }: Frame): 7 | 16 | 64 {
  if (payload.length > 0xffff) return 64;
  return payload.length > 125 && lengthBits === 7 ? 16 : lengthBits;
}

describe("whole frames", () => {
  it("come out as ws reads them, whatever else lies between and wherever the chunks are cut", async () => {
    let taken = 0;
    let faults = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFrame, { minLength: 1, maxLength: 12 }),
        fc.uint8Array({ minLength: 4, maxLength: 4 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (frames, mask, places) => {
          const chunks = cut(Buffer.concat(frames.map((frame) => bytesOf(frame, mask))), places);
          const { short, outcome } = together(chunks);
          const expected = alone(chunks);
          // Faults are told a turn later.
          await setImmediate();
          expect(outcome).toEqual(expected);
          taken += short;
          if (outcome.error !== null) faults += 1;
        },
      ),
      { numRuns: 400 },
    );
    // Both must have happened, or the property says nothing.
    expect(taken).toBeGreaterThan(200);
    expect(faults).toBeGreaterThan(50);
  });

  it("come out alike from bytes that are no frames at all", async () => {
    const places = fc.array(fc.nat(), { maxLength: 6 });
    const begin = fc.constantFrom<number[][]>([], [0x82], [0x82, 0xfe], [0x82, 0xff, 0, 0, 0, 0], [0x89, 0x80]);
    await fc.assert(
      fc.asyncProperty(begin, fc.uint8Array({ minLength: 1, maxLength: 200 }), places, async (head, tail, cuts) => {
        const noise = [...head, ...tail];
        const chunks = cut(Buffer.from(noise), cuts);
        const { outcome } = together(chunks);
        const expected = alone(chunks);
        await setImmediate();
        expect(outcome).toEqual(expected);
      }),
      { numRuns: 400 },
    );
  });

  it("are found in every byte-wise delivery, too", () => {
    const payload = Uint8Array.of(1, 2, 3, 4, 5);
    const frame = bytesOf({ first: 0x82, isMasked: true, lengthBits: 7, payload }, Uint8Array.of(9, 8, 7, 6));
    const { outcome } = together([...Buffer.concat([frame, frame])].map((byte) => Buffer.of(byte)));
    expect(outcome.messages).toEqual(["b0102030405", "b0102030405"]);
  });
});
