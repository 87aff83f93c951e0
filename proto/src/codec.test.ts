/**
 * The codec against the golden vectors in both directions, against bytes that are wrong, and against values that do
 * not fit.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeBody,
  decodeCatalog,
  decodeDownlink,
  decodeTelemetry,
  decodeUplink,
  encodeCatalog,
  encodeDownlink,
  encodeTelemetry,
  encodeUplink,
} from "./codec.js";
import { Envelope, readEnvelope, UplinkTag } from "./envelope.js";
import { MESSAGE_BYTES_MAX } from "./limits.js";
import type { Series, SeriesValues, Uplink } from "./messages.js";
import { uplinks } from "./testing/arbitraries.js";
import { bytesOf, downlinkVectors, hexOf, invalidVectors, titleOf, uplinkVectors } from "./testing/vectors.js";

function one(values: SeriesValues, more: Partial<Series> = {}): Uplink {
  const series = { signal: 1, dtMs: [], periodUs: 0, quality: 0, values, ...more };
  return {
    seq: 1,
    gap: 0,
    body: { kind: "telemetry", telemetry: { base: { kind: "none" }, series: [series], bootNonce: 0 } },
  };
}

describe("[P-24] [P-28] [P-35] golden vectors, uplink", () => {
  it.each(uplinkVectors.map((v) => [titleOf(v), v] as const))("%s", (_title, vector) => {
    expect(decodeUplink(bytesOf(vector.hex))).toEqual({ ok: true, value: vector.meaning });
    const bytes = encodeUplink(vector.meaning);
    if (vector.decodeOnly) expect(decodeUplink(bytes)).toEqual({ ok: true, value: vector.meaning });
    else expect(hexOf(bytes)).toBe(vector.hex);
  });
});

describe("[P-24] [P-28] golden vectors, downlink", () => {
  it.each(downlinkVectors.map((v) => [titleOf(v), v] as const))("%s", (_title, vector) => {
    expect(decodeDownlink(bytesOf(vector.hex))).toEqual({ ok: true, value: vector.meaning });
    if (vector.meaning !== null && !vector.decodeOnly) expect(hexOf(encodeDownlink(vector.meaning))).toBe(vector.hex);
  });
});

describe("[P-29] what is no message is answered with a typed error", () => {
  it.each(invalidVectors.map((v) => [`${titleOf(v)}: ${v.error}`, v] as const))("%s", (_title, vector) => {
    const decoded = vector.link === "uplink" ? decodeUplink(bytesOf(vector.hex)) : decodeDownlink(bytesOf(vector.hex));
    expect(decoded).toMatchObject({ ok: false, error: { code: vector.error } });
    if (vector.link === "uplink") expect(readEnvelope(bytesOf(vector.hex), new Envelope())).toBe(vector.error);
  });

  it("[P-33] a message longer than the limit is too_large, before anything of it is looked at", () => {
    const bytes = new Uint8Array(MESSAGE_BYTES_MAX + 1);
    expect(decodeUplink(bytes)).toMatchObject({ ok: false, error: { code: "too_large" } });
    expect(decodeDownlink(bytes)).toMatchObject({ ok: false, error: { code: "too_large" } });
    expect(decodeTelemetry(bytes)).toMatchObject({ ok: false, error: { code: "too_large" } });
    expect(readEnvelope(bytes, new Envelope())).toBe("too_large");
  });

  it("[P-33] too many series, samples, signals, commands and options are too_many", () => {
    const series = Buffer.concat(Array.from({ length: 1025 }, () => bytesOf("1a00")));
    const catalog = (hex: string, count: number) => Buffer.concat(Array.from({ length: count }, () => bytesOf(hex)));
    const options = catalog("6200", 257);
    const signal = Buffer.concat([bytesOf("228204"), options]);
    expect(decodeTelemetry(series)).toMatchObject({ error: { code: "too_many" } });
    expect(decodeTelemetry(series.subarray(2))).toMatchObject({ ok: true });
    expect(decodeCatalog(catalog("2200", 1025))).toMatchObject({ error: { code: "too_many" } });
    expect(decodeCatalog(catalog("2200", 1024))).toMatchObject({ ok: true });
    expect(decodeCatalog(catalog("2a00", 257))).toMatchObject({ error: { code: "too_many" } });
    expect(decodeCatalog(signal)).toMatchObject({ error: { code: "too_many" } });
    const column = Buffer.concat([bytesOf("1a8580012a818001"), new Uint8Array(16385)]);
    expect(decodeTelemetry(Buffer.from(column))).toMatchObject({ error: { code: "too_many" } });
  });

  it("the detail names the field and the byte, for people", () => {
    expect(decodeUplink(bytesOf("08012a071a050801120101"))).toMatchObject({
      error: { detail: "out_of_range in Series.dtMs, field at byte 8 of Uplink" },
    });
    expect(decodeUplink(bytesOf("1a041202c328"))).toMatchObject({
      error: { detail: "bad_utf8 in Hello.deviceId, field at byte 2 of Uplink" },
    });
  });
});

describe("bodies by themselves", () => {
  it("a body cut out by its envelope decodes to the body of the whole message", () => {
    for (const vector of uplinkVectors) {
      const bytes = bytesOf(vector.hex);
      const envelope = new Envelope();
      expect(readEnvelope(bytes, envelope)).toBeNull();
      const decoded = decodeBody(envelope.body, bytes.subarray(envelope.bodyStart, envelope.bodyEnd));
      if (vector.meaning.body === null) expect(decoded).toMatchObject({ error: { code: "unknown_body" } });
      else expect(decoded).toEqual({ ok: true, value: vector.meaning.body });
    }
  });

  it("[P-24] an empty body is one with every field at its zero", () => {
    expect(decodeBody(UplinkTag.log, new Uint8Array(0))).toEqual({
      ok: true,
      value: { kind: "log", log: { uptimeMs: 0, level: 0, text: "" } },
    });
    expect(decodeTelemetry(new Uint8Array(0))).toMatchObject({ ok: true });
    expect(decodeCatalog(new Uint8Array(0))).toMatchObject({ ok: true });
  });

  it("telemetry and catalogs encode to the bytes they have inside an Uplink", () => {
    for (const { meaning, hex, decodeOnly } of uplinkVectors) {
      if (decodeOnly) continue;
      if (meaning.body?.kind === "telemetry") expect(hex).toContain(hexOf(encodeTelemetry(meaning.body.telemetry)));
      if (meaning.body?.kind === "catalog") expect(hex).toContain(hexOf(encodeCatalog(meaning.body.catalog)));
    }
  });

  it("tags that are not bodies are unknown_body", () => {
    for (const tag of [-1, 0, 1, 2, 10, 31, 1.5, Number.NaN]) {
      expect(decodeBody(tag, new Uint8Array(0))).toMatchObject({ error: { code: "unknown_body" } });
    }
  });
});

describe("what goes in comes out", () => {
  it("every message within the limits survives encoding and decoding", () => {
    fc.assert(
      fc.property(uplinks, (uplink) => {
        fc.pre(uplink.seq + uplink.gap > 0 || uplink.body !== null);
        expect(decodeUplink(encodeUplink(uplink))).toEqual({ ok: true, value: uplink });
      }),
      { numRuns: 400 },
    );
  });

  it("[P-40] quality and level above their scales are decoded as they came", () => {
    const quality = one({ kind: "ints", ints: [1] }, { quality: 200 });
    const log: Uplink = { seq: 1, gap: 0, body: { kind: "log", log: { uptimeMs: 1, level: 99, text: "" } } };
    for (const uplink of [quality, log])
      expect(decodeUplink(encodeUplink(uplink))).toEqual({ ok: true, value: uplink });
  });

  it("[P-39] a time for every value is the most a series may have, with or without a period", () => {
    const full = one({ kind: "ints", ints: [1, 2] }, { dtMs: [0, 5], periodUs: 1000 });
    expect(decodeUplink(encodeUplink(full))).toEqual({ ok: true, value: full });
    expect(decodeUplink(bytesOf("08012a0a1a0812020005" + "2a020204"))).toMatchObject({ ok: true });
    expect(decodeUplink(bytesOf("08012a0b1a091203000505" + "2a020204"))).toMatchObject({
      error: { code: "out_of_range" },
    });
  });

  it("a decoded message owns its bytes: the buffer it came from may be reused", () => {
    const bytes = encodeUplink(one({ kind: "blobs", blobs: [Uint8Array.of(1, 2, 3)] }));
    const decoded = decodeUplink(bytes);
    bytes.fill(0);
    expect(decoded).toMatchObject({ value: one({ kind: "blobs", blobs: [Uint8Array.of(1, 2, 3)] }) });
  });

  it("a Buffer inside a larger one decodes like any other bytes", () => {
    const bytes = encodeUplink(one({ kind: "texts", texts: ["°"] }));
    const inside = Buffer.concat([Buffer.alloc(3, 0xff), bytes, Buffer.alloc(3, 0xff)]).subarray(3, 3 + bytes.length);
    expect(decodeUplink(inside)).toEqual(decodeUplink(bytes));
  });
});

describe("a value that does not fit its field throws a RangeError that names the field", () => {
  const bye = (detail: string): Uplink => ({
    seq: 0,
    gap: 0,
    body: { kind: "bye", bye: { reason: 0, retryAfterMs: 0, detail } },
  });
  const heartbeat = (unixMs: number): Uplink => ({
    seq: 0,
    gap: 0,
    body: { kind: "heartbeat", heartbeat: { uptimeMs: 0, unixMs, ping: 0, nextSeq: 0, oldest: 0 } },
  });
  const cases: [string, RegExp, () => Uplink][] = [
    ["a seq past 32 bits", /Uplink\.seq/, () => ({ ...bye(""), seq: 2 ** 32 })],
    ["a negative gap", /Uplink\.gap/, () => ({ ...bye(""), gap: -1 })],
    ["a fraction", /Uplink\.seq/, () => ({ ...bye(""), seq: 1.5 })],
    ["NaN as a number of something", /Uplink\.seq/, () => ({ ...bye(""), seq: Number.NaN })],
    ["[P-24] unix_ms of 2^53", /Heartbeat\.unixMs/, () => heartbeat(2 ** 53)],
    ["an int past 32 bits", /Series\.ints/, () => one({ kind: "ints", ints: [2 ** 31] })],
    ["a fraction as an int", /Series\.ints/, () => one({ kind: "ints", ints: [0.5] })],
    ["a double as a float", /Series\.floats/, () => one({ kind: "floats", floats: [1e300] })],
    ["a long past 64 bits", /Series\.longs/, () => one({ kind: "longs", longs: [2n ** 63n] })],
    ["more times than values", /Series\.dtMs/, () => one({ kind: "ints", ints: [1] }, { dtMs: [0, 1] })],
    ["half a surrogate pair", /Bye\.detail/, () => bye("\ud83c")],
    ["a text past its limit in bytes", /Bye\.detail/, () => bye("°".repeat(257))],
    ["a blob past the message limit", /Series\.blobs/, () => one({ kind: "blobs", blobs: [new Uint8Array(65537)] })],
    ["a message that says nothing", /Uplink/, () => ({ seq: 0, gap: 0, body: null })],
    ["a message past its limit", /Uplink is/, () => one({ kind: "blobs", blobs: [new Uint8Array(65536)] })],
    ["too many samples", /samples/, () => one({ kind: "ints", ints: Array.from({ length: 16385 }, () => 0) })],
  ];
  it.each(cases)("%s", (_name, field, make) => {
    expect(() => encodeUplink(make())).toThrow(RangeError);
    expect(() => encodeUplink(make())).toThrow(field);
  });
});
