/** What sinks and viewers get, byte for byte. The value rules are vectors: other implementations can run them too. */
import { readFileSync } from "node:fs";
import { type Catalog, encodeTelemetry, encodeUplink, type Series, type SeriesValues, Type } from "@tidegate/proto";
import { describe, expect, test } from "vitest";
import { Accuracy, type GapBody, RecordKind, type StoredRecord } from "../model/record.js";
import { Renderer } from "./render.js";

interface Vector {
  readonly name: string;
  readonly record?: { readonly baseUnixMs?: number; readonly accuracy?: keyof typeof Accuracy };
  readonly catalog?: readonly {
    id: number;
    key: string;
    type?: keyof typeof Type;
    scale?: number;
    options?: string[];
  }[];
  readonly series: readonly VectorSeries[];
  readonly readings: string;
}

interface VectorSeries {
  readonly signal: number;
  readonly dtMs?: number[];
  readonly periodUs?: number;
  readonly quality?: number;
  readonly ints?: number[];
  readonly floats?: (number | string)[];
  readonly doubles?: (number | string)[];
  readonly longs?: string[];
  readonly texts?: string[];
  readonly blobs?: string[];
}

const file = new URL("../../test/vectors/values.json", import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] }; // our own file
const renderer = new Renderer("attic-pi");

function valuesOf(series: VectorSeries): SeriesValues {
  if (series.ints) return { kind: "ints", ints: series.ints };
  if (series.floats) return { kind: "floats", floats: series.floats.map(Number) };
  if (series.doubles) return { kind: "doubles", doubles: series.doubles.map(Number) };
  if (series.longs) return { kind: "longs", longs: series.longs.map(BigInt) };
  if (series.texts) return { kind: "texts", texts: series.texts };
  if (series.blobs) return { kind: "blobs", blobs: series.blobs.map((hex) => new Uint8Array(Buffer.from(hex, "hex"))) };
  return { kind: "none" };
}

function seriesOf(series: VectorSeries): Series {
  const { signal, dtMs = [], periodUs = 0, quality = 0 } = series;
  return { signal, dtMs, periodUs, quality, values: valuesOf(series) };
}

function catalogOf(signals: NonNullable<Vector["catalog"]>): Catalog {
  const full = signals.map(({ id, key, type, scale = 0, options = [] }) => ({
    id,
    key,
    type: Type[type ?? "UNSPECIFIED"],
    scale,
    options,
    ...{ name: "", unit: "°C", deviceClass: "", kind: 0 as const, intervalMs: 0, min: 0, max: 0 },
  }));
  return { hash: 1, part: 0, parts: 1, signals: full, commands: [] };
}

function recordOf(kind: RecordKind, body: Uint8Array, more: Partial<StoredRecord> = {}): StoredRecord {
  return {
    ...{ id: 7, device: "attic-7", epoch: 3405691582, seq: 42, kind, receivedUnixMs: 2000, baseUnixMs: 1000 },
    ...{ accuracy: Accuracy.mapped, catalog: 0, body },
    ...more,
  };
}

const jsonBody = (body: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(body));
const telemetryBody = (series: readonly VectorSeries[], bootNonce = 0): Uint8Array =>
  encodeTelemetry({ base: { kind: "none" }, bootNonce, series: series.map(seriesOf) });

describe("values in a data payload", () => {
  test.each(vectors)("$name", ({ record, catalog, series, readings }) => {
    const more = { baseUnixMs: record?.baseUnixMs ?? 1000, accuracy: Accuracy[record?.accuracy ?? "mapped"] };
    const stored = recordOf(RecordKind.telemetry, telemetryBody(series), more);
    const inForce = catalog ? catalogOf(catalog) : null;
    const rendered = renderer.render(stored, inForce);
    const head = '{"id":"attic-pi/attic-7/3405691582/42","device":"attic-7","readings":';
    expect(rendered).toEqual({ topic: "attic-7/data", payload: `${head}${readings}}` });
    expect(JSON.parse(rendered?.payload ?? "").readings).toEqual(JSON.parse(readings));
    // Of an older boot, which is too rare for the short way through a body.
    const older = recordOf(RecordKind.telemetry, telemetryBody(series, 7), more);
    expect(renderer.render(older, inForce)).toEqual(rendered);
    const live = renderer.live(stored, inForce);
    const withoutUnit = live?.readings?.map(({ signal, t, v, q }) => ({ signal, t, v, q }));
    expect(JSON.stringify(withoutUnit)).toBe(readings);
    expect(live && renderer.liveJson(live, stored, inForce)).toBe(JSON.stringify(live));
  });
});

test("the same record gives the same bytes from another renderer and another catalog object", () => {
  const stored = recordOf(RecordKind.telemetry, telemetryBody([{ signal: 1, floats: [21.4] }]));
  const once = renderer.render(stored, catalogOf([{ id: 1, key: "t" }]));
  const again = new Renderer("attic-pi").render(stored, catalogOf([{ id: 1, key: "t" }]));
  expect(again).toEqual(once);
});

test("the live feed carries the unit where the catalog has one", () => {
  const stored = recordOf(RecordKind.telemetry, telemetryBody([{ signal: 1, floats: [21.4] }]));
  const live = renderer.live(stored, catalogOf([{ id: 1, key: "t" }]));
  expect(live).toMatchObject({
    id: 7,
    kind: "data",
    readings: [{ signal: "t", t: 1000, v: 21.4, q: "good", unit: "°C" }],
  });
});

test("a body that cannot be decoded travels as it is instead of vanishing", () => {
  const rendered = renderer.render(recordOf(RecordKind.telemetry, new Uint8Array([0xff, 0xff])), null);
  expect(rendered?.payload).toContain('"readings":[],"raw":"//8="}');
});

test("a log line keeps its text and level and is no way to forge JSON", () => {
  const frame = encodeUplink({
    ...{ seq: 1, gap: 0 },
    body: { kind: "log", log: { uptimeMs: 5, level: 4, text: 'brown-out"}\n{"id":"x' } },
  });
  const body = frame.subarray(frame.indexOf(0x4a) + 2); // tag 9, one length byte
  const rendered = renderer.render(recordOf(RecordKind.log, body), null);
  expect(rendered?.topic).toBe("attic-7/log");
  expect(JSON.parse(rendered?.payload ?? "")).toEqual({
    ...{ id: "attic-pi/attic-7/3405691582/42", device: "attic-7", t: 1000, level: 4 },
    text: 'brown-out"}\n{"id":"x',
  });
  expect(renderer.live(recordOf(RecordKind.log, body), null)).toMatchObject({
    kind: "log",
    detail: { level: 4, t: 1000 },
  });
});

test("a gap names its range, its reason and itself; an open end is null", () => {
  const gap: GapBody = { fromSeq: 10, toSeq: null, reason: "restart", sink: null };
  const rendered = renderer.render(recordOf(RecordKind.gap, jsonBody(gap), { seq: 10 }), null);
  expect(rendered).toEqual({
    topic: "attic-7/gap",
    payload:
      '{"id":"attic-pi/attic-7/3405691582/gap/10-open-restart","device":"attic-7","epoch":3405691582,' +
      '"fromSeq":10,"toSeq":null,"reason":"restart","sink":null,"at":2000}',
  });
  const live = renderer.live(recordOf(RecordKind.gap, jsonBody(gap)), null);
  expect(live).toMatchObject({ kind: "gap", detail: { epoch: 3405691582, ...gap } });
});

const OUTCOME = {
  ...{ commandId: "cmd_0123456789012345678901", name: "fan", state: "succeeded", result: { rpm: 900 }, error: null },
  ...{ source: "mqtt:broker", responseTopic: null, correlation: null },
};

test("an outcome goes to the command's result topic", () => {
  const rendered = renderer.render(recordOf(RecordKind.commandOutcome, jsonBody(OUTCOME), { epoch: 0, seq: 0 }), null);
  expect(rendered?.topic).toBe("attic-7/cmd/fan/result");
  expect(rendered?.response).toBeUndefined();
  expect(JSON.parse(rendered?.payload ?? "")).toEqual({
    ...{ id: "attic-pi/attic-7/cmd/cmd_0123456789012345678901/succeeded", device: "attic-7", at: 2000 },
    ...{ commandId: OUTCOME.commandId, name: "fan", state: "succeeded", result: { rpm: 900 }, error: null },
    source: "mqtt:broker",
  });
});

test("an outcome also names where its sender asked to have it", () => {
  const body = jsonBody({ ...OUTCOME, responseTopic: "replies/7", correlation: "AAE=" });
  const rendered = renderer.render(recordOf(RecordKind.commandOutcome, body), null);
  expect(rendered?.response).toEqual({ topic: "replies/7", correlation: "AAE=" });
});

test("a stored command name that is no name cannot make a topic", () => {
  const body = jsonBody({ ...OUTCOME, name: "a/b/#" });
  expect(renderer.render(recordOf(RecordKind.commandOutcome, body), null)?.topic).toBe("attic-7/cmd/_/result");
});

test("a body of a later protocol version is kept, and only its number is told [P-25]", () => {
  const stored = recordOf(RecordKind.unknown, new Uint8Array([1]));
  const rendered = renderer.render(stored, null);
  expect(rendered?.topic).toBe("attic-7/service");
  expect(JSON.parse(rendered?.payload ?? "")).toEqual({
    id: "attic-pi/attic-7/3405691582/42",
    device: "attic-7",
    carries: "unknown",
  });
  expect(renderer.live(stored, null)).toBeNull();
});

test("a number that carried a catalog or a command update is told, so that consumers can count", () => {
  const rendered = renderer.render(recordOf(RecordKind.service, jsonBody({ carries: "catalog" })), null);
  expect(rendered).toEqual({
    topic: "attic-7/service",
    payload: '{"id":"attic-pi/attic-7/3405691582/42","device":"attic-7","carries":"catalog"}',
  });
});

test("what one sink skipped concerns that sink alone", () => {
  const gap = { fromSeq: 42, toSeq: 50, reason: "sinkHold", sink: "dead" };
  expect(renderer.render(recordOf(RecordKind.gap, jsonBody(gap)), null)?.onlyFor).toBe("dead");
  const everybodys = { ...gap, reason: "evicted", sink: null };
  expect(renderer.render(recordOf(RecordKind.gap, jsonBody(everybodys)), null)?.onlyFor).toBeUndefined();
});
