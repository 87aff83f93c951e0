/**
 * The fast path agrees with the decoder on every input, accepted or refused, and nothing a peer sends can throw.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeDownlink, decodeUplink, encodeUplink } from "./codec.js";
import { Envelope, isUplinkTag, readEnvelope, UplinkTag } from "./envelope.js";
import { MESSAGE_BYTES_MAX } from "./limits.js";
import type { Uplink } from "./messages.js";
import { Message } from "./schema.js";
import { skimTelemetry } from "./skim.js";
import { mutate, mutations, uplinks } from "./testing/arbitraries.js";
import { bytesOf, downlinkVectors, uplinkVectors } from "./testing/vectors.js";
import { walkAll } from "./walk.js";

/** Reads and decodes, and checks that both say the same; answers whether the bytes were accepted. */
function agree(bytes: Uint8Array): boolean {
  const envelope = new Envelope();
  const error = readEnvelope(bytes, envelope);
  const decoded = decodeUplink(bytes);
  expect(error).toBe(decoded.ok ? null : decoded.error.code);
  if (!decoded.ok) return false;
  expectSame(envelope, decoded.value);
  // Whatever was accepted has a meaning that can be sent on and is read the same again.
  if (saysSomething(decoded.value)) expect(decodeUplink(encodeUplink(decoded.value))).toEqual(decoded);
  return true;
}

/** A message of nothing but unknown fields is legal to receive, but there is nothing in it to send. */
function saysSomething({ seq, gap, body }: Uplink): boolean {
  return seq + gap > 0 || body !== null;
}

function expectSame(envelope: Envelope, { seq, gap, body }: Uplink): void {
  expect([envelope.seq, envelope.gap]).toEqual([seq, gap]);
  if (body === null) expect(isUplinkTag(envelope.body)).toBe(false);
  else expect(envelope.body).toBe(UplinkTag[body.kind]);
  if (body?.kind === "telemetry") {
    const { base, bootNonce } = body.telemetry;
    expect(envelope.base).toBe({ none: 0, uptime: 1, unix: 2 }[base.kind]);
    expect(envelope.baseMs).toBe(base.kind === "none" ? 0 : base.kind === "unix" ? base.unixMs : base.uptimeMs);
    expect(envelope.bootNonce).toBe(bootNonce);
  } else if (body?.kind === "log") {
    expect([envelope.base, envelope.baseMs]).toEqual([body.log.uptimeMs === 0 ? 0 : 1, body.log.uptimeMs]);
  } else {
    expect([envelope.base, envelope.baseMs, envelope.bootNonce]).toEqual([0, 0, 0]);
  }
}

describe("readEnvelope accepts what decodeUplink accepts, and nothing else", () => {
  it("on the golden vectors", () => {
    for (const vector of uplinkVectors) expect(agree(bytesOf(vector.hex)), vector.name).toBe(true);
  });

  it("on every prefix of the golden vectors", () => {
    for (const { hex } of uplinkVectors) {
      const bytes = bytesOf(hex);
      for (let length = 0; length < bytes.length; length += 1) agree(bytes.subarray(0, length));
    }
  });

  it("on every flipped bit of the golden vectors that are short", () => {
    for (const { hex } of uplinkVectors.filter((vector) => vector.hex.length <= 80)) {
      const bytes = bytesOf(hex);
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        agree(bytes);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
    }
  });

  it("on mutated messages", () => {
    let accepted = 0;
    fc.assert(
      fc.property(uplinks.filter(saysSomething), mutations, (uplink, changes) => {
        if (agree(mutate(encodeUplink(uplink), changes))) accepted += 1;
      }),
      { numRuns: 2_000 },
    );
    // Both outcomes must have been seen, or the property says nothing.
    expect(accepted).toBeGreaterThan(50);
    expect(accepted).toBeLessThan(1_950);
  });

  it("on mutated golden vectors, uplink and downlink", () => {
    const vectors = [...uplinkVectors, ...downlinkVectors].map((vector) => bytesOf(vector.hex));
    fc.assert(
      fc.property(fc.constantFrom(...vectors), mutations, (bytes, changes) => {
        const mutated = mutate(bytes, changes);
        agree(mutated);
        decodeDownlink(mutated);
      }),
      { numRuns: 4_000 },
    );
  });

  it("on random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        agree(bytes);
        decodeDownlink(bytes);
      }),
      { numRuns: 3_000 },
    );
  });

  it("on random bytes that begin like telemetry", () => {
    const start = fc.constantFrom("08012a", "08012a041a02", "08012a081a06", "2a0c1a0a2a", "3a0a2208", "1a12");
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 20 }), (hex, rest) => {
        agree(Uint8Array.of(...bytesOf(hex), ...rest));
      }),
      { numRuns: 4_000 },
    );
  });
});

describe("the short way", () => {
  const readings = fc.record({
    seq: fc.nat(0xfff_ffff),
    gap: fc.constantFrom(0, 0, 3),
    body: fc
      .array(
        fc.record({
          signal: fc.integer({ min: 1, max: 300 }),
          periodUs: fc.constantFrom(0, 1000),
          quality: fc.nat(2),
          values: fc.oneof(
            fc.array(fc.integer({ min: -9000, max: 9000 }), { minLength: 1, maxLength: 30 }).map((ints) => ({
              kind: "ints" as const,
              ints,
            })),
            fc.array(fc.float(), { minLength: 1, maxLength: 9 }).map((floats) => ({ kind: "floats" as const, floats })),
            fc
              .array(fc.double(), { minLength: 1, maxLength: 9 })
              .map((doubles) => ({ kind: "doubles" as const, doubles })),
          ),
          dtMs: fc.constantFrom<number[]>([], [0], [70_000]),
        }),
        { minLength: 1, maxLength: 5 },
      )
      .map((series) => ({
        kind: "telemetry" as const,
        telemetry: { base: { kind: "unix" as const, unixMs: 1_795_248_000_123 }, series, bootNonce: 0 },
      })),
  });

  it("takes the telemetry that devices send, and agrees with the long way", () => {
    fc.assert(
      fc.property(readings, (uplink) => {
        const bytes = encodeUplink(uplink);
        const skimmed = new Envelope();
        const walked = new Envelope();
        expect(skimTelemetry(bytes, skimmed)).toBe(true);
        expect(walkAll(Message.UPLINK, bytes, walked)).toBe(bytes.length);
        expect(skimmed).toEqual(walked);
      }),
      { numRuns: 500 },
    );
  });

  it("is never surer than the long way, whatever happened to the bytes", () => {
    fc.assert(
      fc.property(readings, mutations, (uplink, changes) => {
        const bytes = mutate(encodeUplink(uplink), changes);
        const skimmed = new Envelope();
        const walked = new Envelope();
        if (!skimTelemetry(bytes, skimmed)) return;
        expect(walkAll(Message.UPLINK, bytes, walked)).toBe(bytes.length);
        expect(skimmed).toEqual(walked);
      }),
      { numRuns: 5_000 },
    );
  });

  it("counts the times of two columns together", () => {
    // Two times, then one more, for two values: as one column they would be refused too.
    const bytes = bytesOf("08012a0d1a0b" + "12020101" + "120101" + "2a020204");
    expect(readEnvelope(bytes, new Envelope())).toBe("out_of_range");
    expect(agree(bytesOf("08012a0d1a0b" + "120101" + "120101" + "2a03020408"))).toBe(true);
  });

  it("[P-33] leaves too many samples to the long way, which refuses them", () => {
    const column = Buffer.concat([bytesOf("2a8980011a858001"), bytesOf("2a818001"), new Uint8Array(16_385)]);
    expect(readEnvelope(Uint8Array.from(column), new Envelope())).toBe("too_many");
  });
});

describe("the envelope", () => {
  it("is filled anew for every frame: nothing of the one before stays", () => {
    const envelope = new Envelope();
    for (const { hex } of uplinkVectors) readEnvelope(bytesOf(hex), envelope);
    expect(readEnvelope(bytesOf("0801"), envelope)).toBeNull();
    expect(envelope).toEqual(Object.assign(new Envelope(), { seq: 1 }));
  });

  it("[P-25] keeps the tag of a body of a later version, and the bytes of it", () => {
    const envelope = new Envelope();
    expect(readEnvelope(bytesOf("08095203010203"), envelope)).toBeNull();
    expect([envelope.seq, envelope.body, envelope.bodyStart, envelope.bodyEnd]).toEqual([9, 10, 4, 7]);
  });

  it("[P-25] takes no field above 31 for a body", () => {
    const envelope = new Envelope();
    expect(readEnvelope(bytesOf("0809820200"), envelope)).toBeNull();
    expect(envelope.body).toBe(0);
  });

  it("[P-2] leaves the judgement of gap and seq to the session", () => {
    const envelope = new Envelope();
    expect(readEnvelope(bytesOf("08011005"), envelope)).toBeNull();
    expect([envelope.seq, envelope.gap]).toEqual([1, 5]);
  });
});

describe("hostile bytes cost time in proportion to their length", () => {
  const longest: [string, (length: number) => Uint8Array][] = [
    ["continuation bytes", (length) => new Uint8Array(length).fill(0x80)],
    ["empty series", (length) => Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? 0x1a : 0x00))],
    ["unknown fields", (length) => Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? 0x50 : 0x00))],
    ["tags of length zero", (length) => Uint8Array.from({ length }, (_, i) => (i % 2 === 0 ? 0x52 : 0x00))],
    ["group starts", (length) => new Uint8Array(length).fill(0x0b)],
    ["zeros", (length) => new Uint8Array(length)],
  ];
  /** The quietest of several runs, so that a busy machine does not speak into it. */
  function quietestNs(bytes: Uint8Array): number {
    const runs = Array.from({ length: 12 }, () => {
      const started = process.hrtime.bigint();
      readEnvelope(bytes, new Envelope());
      return Number(process.hrtime.bigint() - started);
    });
    return Math.min(...runs);
  }

  it.each(longest)("%s", (_name, make) => {
    const [long, short] = [make(MESSAGE_BYTES_MAX), make(MESSAGE_BYTES_MAX / 8)];
    quietestNs(long); // lets the compiler settle
    // Eight times the bytes: 8 when linear, 64 when quadratic. 2 µs is the noise of what ends at the first byte.
    expect(quietestNs(long)).toBeLessThan(24 * (quietestNs(short) + 2_000));
  });
});
