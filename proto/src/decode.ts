/**
 * From bytes the walk has accepted to the plain messages of messages.ts: the second half of decoding.
 *
 *   body bytes ── generated decode (protobufjs) ──► class instance ── …From ──► plain value, every field present
 *
 * Nothing here can fail, because the walk checked everything first. Byte strings are copied: a decoded message owns
 * all that is in it, and the caller may reuse the buffer it came from.
 */
import { toCommandState, toKind, toReason, toType } from "./codes.js";
import type * as plain from "./messages.js";
import { ExactReader, pb } from "./pb.js";

/** Decoders of Uplink bodies by tag; each takes exactly the body's bytes. */
export const UPLINK_BODY: Readonly<Record<number, (body: Uint8Array) => plain.UplinkBody>> = {
  3: (body) => ({ kind: "hello", hello: helloOf(body) }),
  4: (body) => ({ kind: "heartbeat", heartbeat: heartbeatOf(body) }),
  5: (body) => ({ kind: "telemetry", telemetry: telemetryOf(body) }),
  6: (body) => ({ kind: "commandUpdate", commandUpdate: commandUpdateOf(body) }),
  7: (body) => ({ kind: "catalog", catalog: catalogOf(body) }),
  8: (body) => ({ kind: "bye", bye: byeOf(body) }),
  9: (body) => ({ kind: "log", log: logOf(body) }),
};

/** Decoders of Downlink bodies by tag; each takes exactly the body's bytes. */
export const DOWNLINK_BODY: Readonly<Record<number, (body: Uint8Array) => plain.DownlinkBody>> = {
  1: (body) => ({ kind: "welcome", welcome: welcomeOf(body) }),
  2: (body) => ({ kind: "ack", ack: { seq: pb.Ack.decode(new ExactReader(body)).seq } }),
  3: (body) => ({ kind: "nack", nack: nackOf(body) }),
  4: (body) => ({ kind: "heartbeat", heartbeat: heartbeatOf(body) }),
  5: (body) => ({ kind: "command", command: commandOf(body) }),
  6: (body) => ({ kind: "flow", flow: { window: pb.Flow.decode(new ExactReader(body)).window } }),
  7: (body) => ({ kind: "bye", bye: byeOf(body) }),
  8: () => ({ kind: "sayHello" }),
};

function helloOf(body: Uint8Array): plain.Hello {
  const m = pb.Hello.decode(new ExactReader(body));
  return {
    protocol: m.protocol,
    deviceId: m.deviceId,
    bootNonce: m.bootNonce,
    attempt: m.attempt,
    epoch: m.epoch,
    nextSeq: m.nextSeq,
    oldest: m.oldest,
    ackedSeq: m.ackedSeq,
    uptimeMs: m.uptimeMs,
    maxRxBytes: m.maxRxBytes,
    catalogHash: m.catalogHash,
    firmware: m.firmware,
    model: m.model,
    sleepMs: m.sleepMs,
    lastCommand: m.lastCommand,
    outboxFrames: m.outboxFrames,
    proof: copyOf(m.proof),
    closing: m.closing,
  };
}

function welcomeOf(body: Uint8Array): plain.Welcome {
  const m = pb.Welcome.decode(new ExactReader(body));
  return {
    attempt: m.attempt,
    bootNonce: m.bootNonce,
    epoch: m.epoch,
    ackedSeq: m.ackedSeq,
    keepaliveMs: m.keepaliveMs,
    window: m.window,
    unixMs: m.unixMs,
    wantCatalog: m.wantCatalog,
    maxUplinkBytes: m.maxUplinkBytes,
  };
}

function heartbeatOf(body: Uint8Array): plain.Heartbeat {
  const m = pb.Heartbeat.decode(new ExactReader(body));
  return { uptimeMs: m.uptimeMs, unixMs: m.unixMs, ping: m.ping, nextSeq: m.nextSeq, oldest: m.oldest };
}

function nackOf(body: Uint8Array): plain.Nack {
  const m = pb.Nack.decode(new ExactReader(body));
  return { expected: m.expected, reason: toReason(m.reason), retryAfterMs: m.retryAfterMs };
}

function byeOf(body: Uint8Array): plain.Bye {
  const m = pb.Bye.decode(new ExactReader(body));
  return { reason: toReason(m.reason), retryAfterMs: m.retryAfterMs, detail: m.detail };
}

function logOf(body: Uint8Array): plain.Log {
  const m = pb.Log.decode(new ExactReader(body));
  return { uptimeMs: m.uptimeMs, level: m.level, text: m.text };
}

function commandOf(body: Uint8Array): plain.Command {
  const m = pb.Command.decode(new ExactReader(body));
  return {
    id: m.id,
    code: m.code,
    name: m.name,
    args: copyOf(m.args),
    deadlineUptimeMs: m.deadlineUptimeMs,
    atMostOnce: m.atMostOnce,
  };
}

function commandUpdateOf(body: Uint8Array): plain.CommandUpdate {
  const m = pb.CommandUpdate.decode(new ExactReader(body));
  return { id: m.id, state: toCommandState(m.state), result: copyOf(m.result), error: m.error };
}

/** The Telemetry in a body the walk has accepted. */
export function telemetryOf(body: Uint8Array): plain.Telemetry {
  const m = pb.Telemetry.decode(new ExactReader(body));
  // The generated type of a nested message is its loose input form; decoding always makes instances.
  const series = m.series as SeriesInstance[];
  return { base: baseOf(m), series: series.map(seriesFrom), bootNonce: m.bootNonce };
}

function baseOf(m: InstanceType<typeof pb.Telemetry>): plain.TelemetryBase {
  if (m.base === "uptimeMs") return { kind: "uptime", uptimeMs: m.uptimeMs ?? 0 };
  if (m.base === "unixMs") return { kind: "unix", unixMs: m.unixMs ?? 0 };
  return { kind: "none" };
}

type SeriesInstance = InstanceType<typeof pb.Series>;
type SignalInstance = InstanceType<typeof pb.Signal>;
type CommandSpecInstance = InstanceType<typeof pb.CommandSpec>;

function seriesFrom(m: SeriesInstance): plain.Series {
  return { signal: m.signal, dtMs: m.dtMs, periodUs: m.periodUs, quality: m.quality, values: valuesFrom(m) };
}

function valuesFrom(m: SeriesInstance): plain.SeriesValues {
  if (m.ints.length > 0) return { kind: "ints", ints: m.ints };
  if (m.floats.length > 0) return { kind: "floats", floats: m.floats };
  if (m.doubles.length > 0) return { kind: "doubles", doubles: m.doubles };
  // ExactReader puts bigints where the generated type says number.
  if (m.longs.length > 0) return { kind: "longs", longs: m.longs as unknown as bigint[] };
  if (m.texts.length > 0) return { kind: "texts", texts: m.texts };
  if (m.blobs.length > 0) return { kind: "blobs", blobs: m.blobs.map(copyOf) };
  return { kind: "none" };
}

/** The Catalog, or one part of it, in a body the walk has accepted. */
export function catalogOf(body: Uint8Array): plain.Catalog {
  const m = pb.Catalog.decode(new ExactReader(body));
  // As in telemetryOf: decoding always makes instances.
  const signals = m.signals as SignalInstance[];
  // And here.
  const commands = m.commands as CommandSpecInstance[];
  return {
    hash: m.hash,
    part: m.part,
    parts: m.parts,
    signals: signals.map(signalFrom),
    commands: commands.map(commandSpecFrom),
  };
}

function signalFrom(m: SignalInstance): plain.Signal {
  return {
    id: m.id,
    key: m.key,
    name: m.name,
    type: toType(m.type),
    unit: m.unit,
    deviceClass: m.deviceClass,
    kind: toKind(m.kind),
    scale: m.scale,
    intervalMs: m.intervalMs,
    min: m.min,
    max: m.max,
    options: m.options,
  };
}

function commandSpecFrom(m: CommandSpecInstance): plain.CommandSpec {
  return { code: m.code, name: m.name, atMostOnce: m.atMostOnce, argsHint: m.argsHint };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
