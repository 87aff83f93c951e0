/** CONNECT and what a CONNACK agrees to. Pure; mqtt-connection.ts performs it. */
import type { IConnackPacket, IConnectPacket } from "mqtt-packet";
import { failureOfConnack5, failureOfConnack311 } from "./connack-failure.js";
import type { DialTarget } from "./dial.js";
import { type FailureContext, refused, type SinkFailure } from "./failure.js";

export type MqttVersion = 4 | 5;

export interface ConnectionOptions {
  readonly target: DialTarget;
  /** 5, or 4 for MQTT 3.1.1. */
  readonly version: MqttVersion;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly keepaliveMs: number;
  /** Retained at this topic when the connection ends without a farewell; null: no will. */
  readonly will: { readonly topic: string; readonly payload: string } | null;
  /** Own ceiling on unacked messages; the broker's Receive Maximum lowers it. */
  readonly window: number;
  readonly incomingBytes: number;
  /** QoS 1 messages the broker may send before we ack one. */
  readonly incomingWindow: number;
  readonly connectTimeoutMs: number;
}

/** What the broker agreed to. */
export interface Session {
  readonly version: MqttVersion;
  /** Unacked QoS 1 messages that may be in flight. */
  readonly window: number;
  /** Largest packet the broker takes, in bytes. */
  readonly packetBytesMax: number;
}

/** What MQTT can express: a remaining length of 2^28 − 1 and its header. */
export const PACKET_BYTES_MAX = 268_435_460;
const RECEIVE_MAXIMUM_DEFAULT = 65_535;

/** What a CONNACK leaves to know. */
export interface Agreement {
  readonly session: Session;
  /** Longest silence either way in ms; the broker may have the last word. 0: none is kept. */
  readonly keepaliveMs: number;
  readonly hasRetain: boolean;
}

/** A clean session with a will; on MQTT 5 with the limits we keep as a receiver. */
export function connectPacket(options: ConnectionOptions): IConnectPacket {
  const { version, clientId, username, password, keepaliveMs, will, incomingWindow, incomingBytes } = options;
  const limits = { receiveMaximum: incomingWindow, maximumPacketSize: incomingBytes };
  return {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clean: true,
    clientId,
    keepalive: Math.max(1, Math.round(keepaliveMs / 1000)),
    ...(username === undefined ? {} : { username }),
    ...(username === undefined || password === undefined ? {} : { password: Buffer.from(password) }),
    ...(will === null ? {} : { will: { ...will, qos: 1 as const, retain: true } }),
    ...(version === 5 ? { properties: limits } : {}),
  };
}

/** What was agreed, or why there is no session. */
export function agreementOf(packet: IConnackPacket, options: ConnectionOptions): Agreement | SinkFailure {
  const { version, keepaliveMs } = options;
  const code = (version === 5 ? packet.reasonCode : packet.returnCode) ?? 0;
  if (code !== 0) {
    return version === 5 ? failureOfConnack5(code, contextOf(options)) : failureOfConnack311(code, contextOf(options));
  }
  const properties = packet.properties ?? {};
  if (properties.maximumQoS === 0) {
    return refused("the broker takes only QoS 0, which has no acks", "use a broker with QoS 1");
  }
  const window = Math.min(options.window, properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
  const packetBytesMax = Math.min(PACKET_BYTES_MAX, properties.maximumPacketSize ?? PACKET_BYTES_MAX);
  return {
    session: { version, window, packetBytesMax },
    keepaliveMs: properties.serverKeepAlive === undefined ? keepaliveMs : properties.serverKeepAlive * 1000,
    hasRetain: properties.retainAvailable !== false,
  };
}

/** What failure texts may say of the configuration. */
export function contextOf({ target, username }: ConnectionOptions): FailureContext {
  return { host: target.host, port: target.port, hasUsername: username !== undefined, secure: target.tls !== null };
}

/** A CONNACK of two bytes: MQTT 5 has at least three (the length of its properties). */
export function isConnack311(packet: Buffer): boolean {
  return packet.length === 4 && packet[0] === 0x20;
}
