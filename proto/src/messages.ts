/**
 * The messages of the device protocol as plain values, every field present.
 *
 * `codec.ts` turns them into bytes and back; nobody else sees protobufjs. Field meanings, units and the numbered
 * rules stand in `tidegate/device/v1/device.proto` and `PROTOCOL.md`. All integers are JavaScript numbers, exact
 * because they stay below 2^53; only `Series.longs` needs bigint.
 */
import type { CommandState, Kind, Reason, Type } from "./codes.js";

/** Device to gateway. `body` is null for a body kind this version does not know [P-25]. */
export interface Uplink {
  seq: number;
  gap: number;
  body: UplinkBody | null;
}

/** The body of an Uplink, by kind. Telemetry, commandUpdate, catalog and log are reliable [P-41]. */
export type UplinkBody =
  | { kind: "hello"; hello: Hello }
  | { kind: "heartbeat"; heartbeat: Heartbeat }
  | { kind: "telemetry"; telemetry: Telemetry }
  | { kind: "commandUpdate"; commandUpdate: CommandUpdate }
  | { kind: "catalog"; catalog: Catalog }
  | { kind: "bye"; bye: Bye }
  | { kind: "log"; log: Log };

/** Gateway to device. Null for a body kind this version does not know: ignored [P-25]. */
export type Downlink = DownlinkBody | null;

/** The body of a Downlink, by kind. */
export type DownlinkBody =
  | { kind: "welcome"; welcome: Welcome }
  | { kind: "ack"; ack: Ack }
  | { kind: "nack"; nack: Nack }
  | { kind: "heartbeat"; heartbeat: Heartbeat }
  | { kind: "command"; command: Command }
  | { kind: "flow"; flow: Flow }
  | { kind: "bye"; bye: Bye }
  | { kind: "sayHello" };

/** Opens a session; the first message of every link, repeated until its Welcome comes [P-5] [P-11]. */
export interface Hello {
  protocol: number;
  deviceId: string;
  bootNonce: number;
  attempt: number;
  epoch: number;
  nextSeq: number;
  oldest: number;
  ackedSeq: number;
  uptimeMs: number;
  maxRxBytes: number;
  catalogHash: number;
  firmware: string;
  model: string;
  sleepMs: number;
  lastCommand: number;
  outboxFrames: number;
  proof: Uint8Array;
  closing: boolean;
}

/** Accepts a session [P-4] [P-5] [P-6]. */
export interface Welcome {
  attempt: number;
  bootNonce: number;
  epoch: number;
  ackedSeq: number;
  keepaliveMs: number;
  window: number;
  unixMs: number;
  wantCatalog: boolean;
  maxUplinkBytes: number;
}

/** Proves life; carries the clock and what the device holds [P-12] [P-23]. */
export interface Heartbeat {
  uptimeMs: number;
  unixMs: number;
  ping: number;
  nextSeq: number;
  oldest: number;
}

/** Durable up to `seq`, which is at least 1 [P-3]. */
export interface Ack {
  seq: number;
}

/** A reliable message was not taken; send again from `expected` on, after `retryAfterMs` [P-2]. */
export interface Nack {
  expected: number;
  reason: Reason;
  retryAfterMs: number;
}

/** 0 pauses reliable messages; above 0 they resume with that window. */
export interface Flow {
  window: number;
}

/** Ends a session, from either side. `detail` is for people, at most DETAIL_BYTES_MAX bytes [P-30]. */
export interface Bye {
  reason: Reason;
  retryAfterMs: number;
  detail: string;
}

/** A line from the firmware; `level` is the severity of RFC 5424, 0 … 7 [P-40]. */
export interface Log {
  uptimeMs: number;
  level: number;
  text: string;
}

/** The instant the deltas of a Telemetry count from. `none`: neither was sent, stamp on arrival. */
export type TelemetryBase = { kind: "uptime"; uptimeMs: number } | { kind: "unix"; unixMs: number } | { kind: "none" };

/** Readings in columns, one series per signal [P-39]. */
export interface Telemetry {
  base: TelemetryBase;
  series: Series[];
  /** 0: measured in the boot of this session's Hello. */
  bootNonce: number;
}

/** The values of one series; `none` is an empty one (kept, carries nothing). */
export type SeriesValues =
  | { kind: "ints"; ints: number[] }
  | { kind: "floats"; floats: number[] }
  | { kind: "doubles"; doubles: number[] }
  | { kind: "longs"; longs: bigint[] }
  | { kind: "texts"; texts: string[] }
  | { kind: "blobs"; blobs: Uint8Array[] }
  | { kind: "none" };

/** The readings of one signal. `dtMs` has at most as many entries as there are values [P-39]. */
export interface Series {
  signal: number;
  dtMs: number[];
  periodUs: number;
  quality: number;
  values: SeriesValues;
}

/** What a device measures and obeys, whole or one part of it [P-26] [P-27]. */
export interface Catalog {
  hash: number;
  part: number;
  parts: number;
  signals: Signal[];
  commands: CommandSpec[];
}

/** One quantity of a device. `scale` applies to `ints`: value × 10^scale [P-35]. */
export interface Signal {
  id: number;
  key: string;
  name: string;
  type: Type;
  unit: string;
  deviceClass: string;
  kind: Kind;
  scale: number;
  intervalMs: number;
  min: number;
  max: number;
  options: string[];
}

/** A command the device obeys; `code` is at least 1. */
export interface CommandSpec {
  code: number;
  name: string;
  atMostOnce: boolean;
  argsHint: string;
}

/** A request to the device. `deadlineUptimeMs` is the device's own uptime, 0: none [P-16]. */
export interface Command {
  id: number;
  code: number;
  name: string;
  args: Uint8Array;
  deadlineUptimeMs: number;
  atMostOnce: boolean;
}

/** What became of a command; `result` and `error` belong to final states [P-19]. */
export interface CommandUpdate {
  id: number;
  state: CommandState;
  result: Uint8Array;
  error: string;
}
