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

export type DownlinkBody =
  | { kind: "welcome"; welcome: Welcome }
  | { kind: "ack"; ack: Ack }
  | { kind: "nack"; nack: Nack }
  | { kind: "heartbeat"; heartbeat: Heartbeat }
  | { kind: "command"; command: Command }
  | { kind: "flow"; flow: Flow }
  | { kind: "bye"; bye: Bye }
  | { kind: "sayHello" };

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

export interface Heartbeat {
  uptimeMs: number;
  unixMs: number;
  ping: number;
  nextSeq: number;
  oldest: number;
}

export interface Ack {
  seq: number;
}

export interface Nack {
  expected: number;
  reason: Reason;
  retryAfterMs: number;
}

export interface Flow {
  window: number;
}

export interface Bye {
  reason: Reason;
  retryAfterMs: number;
  detail: string;
}

export interface Log {
  uptimeMs: number;
  level: number;
  text: string;
}

/** The instant the deltas of a Telemetry count from. `none`: neither was sent, stamp on arrival. */
export type TelemetryBase = { kind: "uptime"; uptimeMs: number } | { kind: "unix"; unixMs: number } | { kind: "none" };

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

export interface Series {
  signal: number;
  dtMs: number[];
  periodUs: number;
  quality: number;
  values: SeriesValues;
}

export interface Catalog {
  hash: number;
  part: number;
  parts: number;
  signals: Signal[];
  commands: CommandSpec[];
}

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

export interface CommandSpec {
  code: number;
  name: string;
  atMostOnce: boolean;
  argsHint: string;
}

export interface Command {
  id: number;
  code: number;
  name: string;
  args: Uint8Array;
  deadlineUptimeMs: number;
  atMostOnce: boolean;
}

export interface CommandUpdate {
  id: number;
  state: CommandState;
  result: Uint8Array;
  error: string;
}
