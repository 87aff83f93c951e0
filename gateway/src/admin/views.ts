/** From the gateway's rows to the shapes of the API. Pure. */
import { Kind, Type } from "@tidegate/proto";
import type { CommandRecord } from "../model/command.js";
import type { DeviceIdentity } from "../model/identity.js";
import type { Gap } from "../model/record.js";
import type { SinkStatus } from "../model/sink.js";
import type { DeviceFacts, QuarantinedRecord, SinkBacklog } from "../model/spool.js";
import type { AdminHost, DevicePresence, StatusFacts } from "./admin-host.js";
import type {
  CommandSpecView,
  CommandView,
  DeviceView,
  GapView,
  ReadingView,
  SignalView,
  SinkView,
  StatusView,
} from "./api-schemas.js";
import type { PresenceChange } from "./live-messages.js";

/** Unix ms as ISO 8601; null for null and for what no calendar holds. */
export function isoTime(unixMs: number | null): string | null {
  if (unixMs === null || !Number.isFinite(unixMs) || Math.abs(unixMs) > 8.64e15) return null;
  return new Date(unixMs).toISOString();
}

/** An instant that is known, as the API writes it. */
export const isoOrEpoch = (unixMs: number): string => isoTime(unixMs) ?? new Date(0).toISOString();

/** JSON text as its value; text that is no JSON stays text. */
export function jsonValue(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface DeviceSources {
  readonly identity: DeviceIdentity | null;
  readonly facts: DeviceFacts | null;
  readonly presence: DevicePresence | null;
  readonly latest: readonly ReadingView[];
}

/** One device out of its three sources: credential, stored facts, live session. */
export function deviceView(id: string, from: DeviceSources): DeviceView {
  const { identity, facts, presence } = from;
  // A device without an epoch has never said hello: its row exists because a command waits for it.
  const saidHello = facts !== null && facts.epoch !== 0;
  const lastSeen = presence?.lastSeenUnixMs ?? (saidHello ? facts.lastSeenUnixMs : null);
  const state = presence?.presence ?? "offline";
  return {
    id,
    name: identity?.name ?? "",
    online: state === "online",
    presence: state,
    lastSeen: isoTime(lastSeen),
    connectedSince: isoTime(presence?.connectedSinceUnixMs ?? null),
    remote: presence?.remote ?? null,
    createdAt: isoTime(identity?.createdUnixMs ?? null),
    revoked: identity !== null && identity.tokenHash === null,
    firmware: facts?.firmware ?? "",
    model: facts?.model ?? "",
    sleepMs: facts?.sleepMs ?? 0,
    epoch: facts?.epoch ?? 0,
    ackedSeq: facts?.ackedSeq ?? 0,
    signals: objects(facts?.catalog?.signals).map(signalView),
    commands: objects(facts?.catalog?.commands).map(commandSpecView),
    latest: [...from.latest],
  };
}

type Fields = Readonly<Record<string, unknown>>;

/** Catalogs are stored as JSON that devices wrote: take what has the right type, never trust the rest. */
function objects(list: readonly unknown[] | undefined): Fields[] {
  return (list ?? []).filter((item): item is Fields => typeof item === "object" && item !== null);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const number = (value: unknown): number => (typeof value === "number" && Number.isFinite(value) ? value : 0);
/** The word of an enumeration's number, in lower case; empty for none and for one this version does not know. */
function word(names: Readonly<Record<string, number>>, value: unknown): string {
  const name = Object.keys(names).find((key) => names[key] === value) ?? "";
  return value === 0 ? "" : name.toLowerCase();
}

/** Both bounds, or neither: a device that declared none sent zeros. */
function bounds(signal: Fields): { min: number | null; max: number | null } {
  const [min, max] = [number(signal["min"]), number(signal["max"])];
  return min < max ? { min, max } : { min: null, max: null };
}

function signalView(signal: Fields): SignalView {
  const options = Array.isArray(signal["options"]) ? signal["options"] : [];
  return {
    id: number(signal["id"]),
    key: text(signal["key"]),
    name: text(signal["name"]),
    type: word(Type, signal["type"]),
    unit: text(signal["unit"]),
    kind: word(Kind, signal["kind"]),
    deviceClass: text(signal["deviceClass"]),
    intervalMs: number(signal["intervalMs"]),
    ...bounds(signal),
    options: options.filter((option): option is string => typeof option === "string"),
  };
}

function commandSpecView(spec: Fields): CommandSpecView {
  return {
    code: number(spec["code"]),
    name: text(spec["name"]),
    atMostOnce: spec["atMostOnce"] === true,
    argsHint: text(spec["argsHint"]),
  };
}

/** A presence as the live feed tells it. */
export function presenceChange(device: string, presence: DevicePresence): PresenceChange {
  return {
    device,
    online: presence.presence === "online",
    presence: presence.presence,
    lastSeen: isoTime(presence.lastSeenUnixMs),
    connectedSince: isoTime(presence.connectedSinceUnixMs),
    remote: presence.remote,
  };
}

/** A command as the API shows it; arguments and result as JSON values. */
export function commandView(command: CommandRecord): CommandView {
  return {
    commandId: command.commandId,
    device: command.device,
    name: command.name,
    args: jsonValue(command.args),
    delivery: command.delivery,
    state: command.state,
    source: command.source,
    ttlMs: command.ttlMs,
    transmissions: command.transmissions,
    createdAt: isoOrEpoch(command.createdUnixMs),
    updatedAt: isoOrEpoch(command.updatedUnixMs),
    result: jsonValue(command.result),
    error: command.error,
    idempotencyKey: command.idempotencyKey,
  };
}

/** A gap as the API shows it. */
export function gapView(gap: Gap): GapView {
  const { atUnixMs, ...rest } = gap;
  return { ...rest, at: isoOrEpoch(atUnixMs) };
}

/** A quarantined record as the API shows it. */
export function quarantinedView(record: QuarantinedRecord): Omit<QuarantinedRecord, "atUnixMs"> & { at: string } {
  const { atUnixMs, ...rest } = record;
  return { ...rest, at: isoOrEpoch(atUnixMs) };
}

/** Configured sinks with their backlog, and the cursors of sinks that left the configuration. */
export function sinkViews(sinks: readonly SinkStatus[], backlog: readonly SinkBacklog[]): SinkView[] {
  const behind = new Map(backlog.map((entry) => [entry.sink, entry]));
  const configured = sinks.map((sink) => sinkView(sink, behind.get(sink.name)));
  const names = new Set(sinks.map((sink) => sink.name));
  const orphans = backlog.filter((entry) => entry.orphaned && !names.has(entry.sink));
  return [...configured, ...orphans.map((entry) => sinkView(orphan(entry.sink), entry))];
}

function sinkView(sink: Omit<SinkStatus, "type"> & { type: string }, backlog: SinkBacklog | undefined): SinkView {
  return {
    name: sink.name,
    type: sink.type,
    state: sink.state,
    target: sink.target,
    protocol: sink.protocol,
    retryInMs: sink.retryInMs,
    connectedSince: isoTime(sink.connectedSinceUnixMs),
    lastError: sink.lastError === null ? null : { ...sink.lastError },
    deliveredCount: sink.deliveredCount,
    inFlightCount: sink.inFlightCount,
    quarantinedCount: sink.quarantinedCount,
    reconnectCount: sink.reconnectCount,
    backlog: {
      count: backlog?.backlogCount ?? 0,
      ageMs: backlog?.backlogAgeMs ?? 0,
      cursor: backlog?.cursor ?? 0,
      orphaned: backlog?.orphaned ?? false,
    },
  };
}

function orphan(name: string): Omit<SinkStatus, "type"> & { type: string } {
  return {
    name,
    type: "orphan",
    state: "stopped",
    target: "",
    lastError: null,
    retryInMs: null,
    connectedSinceUnixMs: null,
    deliveredCount: 0,
    inFlightCount: 0,
    quarantinedCount: 0,
    reconnectCount: 0,
    protocol: null,
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;

/** The status page. */
export function statusView(host: AdminHost, facts: StatusFacts): StatusView {
  const { startedUnixMs, uptimeMs, backlog, ports, devices, disk, eventLoopDelayMs: delay, ...rest } = facts;
  return {
    gateway: host.gatewayId,
    version: host.version,
    state: host.health(),
    startedAt: isoOrEpoch(startedUnixMs),
    ...rest,
    ports: { ...ports },
    devices: { ...devices },
    disk: { ...disk },
    uptimeMs: Math.round(uptimeMs),
    eventLoopDelayMs: { p50: hundredths(delay.p50), p99: hundredths(delay.p99), max: hundredths(delay.max) },
    backlog: backlog.map((entry) => ({
      sink: entry.sink,
      count: entry.backlogCount,
      ageMs: entry.backlogAgeMs,
      orphaned: entry.orphaned,
    })),
  };
}
