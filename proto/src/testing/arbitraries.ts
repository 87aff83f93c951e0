/**
 * Arbitrary messages for property tests: every one of them is within the limits of the protocol.
 */
import fc from "fast-check";
import { CommandState, Kind, Reason, Type } from "../codes.js";
import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from "../limits.js";
import type { Catalog, Series, SeriesValues, TelemetryBase, Uplink, UplinkBody } from "../messages.js";

const u32 = fc.oneof(fc.constantFrom(0, 1, 127, 128, 0xffff_ffff), fc.nat(0xffff_ffff));
const i32 = fc.integer();
const unixMs = fc.oneof(fc.constantFrom(0, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
const bytes = fc.uint8Array({ maxLength: 40 });
// -0 is left out where JavaScript cannot tell what the wire carried; the vectors hold it.
const double = fc.double().map((value) => value + 0);
const float = fc.float().map((value) => value + 0);

/** A text of at most `bytesMax` bytes: three bytes is the most a UTF-16 unit needs. */
function text(bytesMax: number): fc.Arbitrary<string> {
  return fc.string({ unit: "binary", maxLength: 12 }).filter((value) => Buffer.byteLength(value) <= bytesMax);
}

function codeOf<T extends number>(codes: Readonly<Record<string, T>>): fc.Arbitrary<T> {
  return fc.constantFrom(...Object.values(codes));
}

const values: fc.Arbitrary<SeriesValues> = fc.oneof(
  fc.array(i32, { minLength: 1 }).map((ints) => ({ kind: "ints" as const, ints })),
  fc.array(float, { minLength: 1 }).map((floats) => ({ kind: "floats" as const, floats })),
  fc.array(double, { minLength: 1 }).map((doubles) => ({ kind: "doubles" as const, doubles })),
  fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }).map((longs) => ({
    kind: "longs" as const,
    longs,
  })),
  fc.array(text(40), { minLength: 1 }).map((texts) => ({ kind: "texts" as const, texts })),
  fc.array(bytes, { minLength: 1 }).map((blobs) => ({ kind: "blobs" as const, blobs })),
  fc.constant({ kind: "none" as const }),
);

const series: fc.Arbitrary<Series> = fc
  .record({ signal: u32, dtMs: fc.array(u32), periodUs: u32, quality: u32, values })
  .map((one) => ({ ...one, dtMs: one.dtMs.slice(0, countOf(one.values)) }));

function countOf(from: SeriesValues): number {
  const column = Object.values(from).find((value) => Array.isArray(value)) as unknown[] | undefined;
  return column?.length ?? 0;
}

const base: fc.Arbitrary<TelemetryBase> = fc.oneof(
  u32.map((uptimeMs) => ({ kind: "uptime" as const, uptimeMs })),
  unixMs.map((ms) => ({ kind: "unix" as const, unixMs: ms })),
  fc.constant({ kind: "none" as const }),
);

const signal = fc.record({
  id: u32,
  key: text(NAME_BYTES_MAX),
  name: text(LABEL_BYTES_MAX),
  type: codeOf(Type),
  unit: text(LABEL_BYTES_MAX),
  deviceClass: text(LABEL_BYTES_MAX),
  kind: codeOf(Kind),
  scale: i32,
  intervalMs: u32,
  min: double,
  max: double,
  options: fc.array(text(LABEL_BYTES_MAX)),
});

const commandSpec = fc.record({
  code: u32,
  name: text(NAME_BYTES_MAX),
  atMostOnce: fc.boolean(),
  argsHint: text(100),
});

export const catalogs: fc.Arbitrary<Catalog> = fc.record({
  hash: u32,
  part: u32,
  parts: u32,
  signals: fc.array(signal, { maxLength: 6 }),
  commands: fc.array(commandSpec, { maxLength: 4 }),
});

const bodies: fc.Arbitrary<UplinkBody | null> = fc.oneof(
  fc.record({ base, series: fc.array(series, { maxLength: 5 }), bootNonce: u32 }).map((telemetry) => ({
    kind: "telemetry" as const,
    telemetry,
  })),
  fc.record({ uptimeMs: u32, unixMs, ping: u32, nextSeq: u32, oldest: u32 }).map((heartbeat) => ({
    kind: "heartbeat" as const,
    heartbeat,
  })),
  fc.record({ id: u32, state: codeOf(CommandState), result: bytes, error: text(100) }).map((commandUpdate) => ({
    kind: "commandUpdate" as const,
    commandUpdate,
  })),
  catalogs.map((catalog) => ({ kind: "catalog" as const, catalog })),
  fc.record({ reason: codeOf(Reason), retryAfterMs: u32, detail: text(100) }).map((bye) => ({
    kind: "bye" as const,
    bye,
  })),
  fc.record({ uptimeMs: u32, level: u32, text: text(100) }).map((log) => ({ kind: "log" as const, log })),
  fc.constant(null),
);

export const uplinks: fc.Arbitrary<Uplink> = fc.record({ seq: u32, gap: u32, body: bodies });

/** One change to some bytes: what a bad line, a bad encoder or a bad person does. */
export type Mutation =
  | { kind: "flip"; at: number; bit: number }
  | { kind: "set"; at: number; byte: number }
  | { kind: "cut"; at: number }
  | { kind: "insert"; at: number; bytes: Uint8Array }
  | { kind: "remove"; at: number };

export const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), at: fc.nat(), bit: fc.nat(7) }),
    fc.record({ kind: fc.constant("set" as const), at: fc.nat(), byte: fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x0a) }),
    fc.record({ kind: fc.constant("cut" as const), at: fc.nat() }),
    fc.record({ kind: fc.constant("insert" as const), at: fc.nat(), bytes: fc.uint8Array({ maxLength: 4 }) }),
    fc.record({ kind: fc.constant("remove" as const), at: fc.nat() }),
  ),
  { minLength: 1, maxLength: 3 },
);

export function mutate(original: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  return changes.reduce(mutateOnce, original);
}

function mutateOnce(bytes: Uint8Array, change: Mutation): Uint8Array {
  const at = bytes.length === 0 ? 0 : change.at % bytes.length;
  const [before, byte, after] = [bytes.subarray(0, at), bytes[at] ?? 0, bytes.subarray(at + 1)];
  switch (change.kind) {
    case "flip":
      return Uint8Array.of(...before, byte ^ (1 << change.bit), ...after);
    case "set":
      return Uint8Array.of(...before, change.byte, ...after);
    case "cut":
      return Uint8Array.from(before);
    case "insert":
      return Uint8Array.of(...before, ...change.bytes, ...bytes.subarray(at));
    case "remove":
      return Uint8Array.of(...before, ...after);
  }
}
