/** Opens the socket to a broker: TCP, or TCP with TLS. Passed in, so that tests bring a broker without a network. */
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { MqttTlsOptions } from "./mqtt-options.js";

export interface DialTarget {
  readonly host: string;
  readonly port: number;
  /** Null: no TLS. */
  readonly tls: MqttTlsOptions | null;
}

/** Begins to open; calls `onReady` once when bytes may flow. Failures are the stream's `error` and `close`. */
export type Dial = (target: DialTarget, onReady: () => void) => Duplex;

export const systemDial: Dial = (target, onReady) => {
  const { host, port, tls } = target;
  if (tls === null) return connectTcp({ host, port, noDelay: true }, onReady);
  const { servername = host, ...files } = tls;
  // An address is no server name: SNI would be refused, but the certificate is still checked against the host.
  const named = isAddress(servername) ? {} : { servername };
  const socket = connectTls({ host, port, minVersion: "TLSv1.2", ...files, ...named }, onReady);
  socket.setNoDelay(true);
  return socket;
};

const isAddress = (name: string): boolean => /^[\d.]+$|:/.test(name);

/** Where a sink's url points. Credentials in it are not read: they belong in a file. Null: no such url. */
export function targetOf(url: string, tls: MqttTlsOptions | undefined): DialTarget | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host === "" || (protocol !== "mqtt:" && protocol !== "mqtts:")) return null;
  const secure = protocol === "mqtts:";
  return { host, port: port === "" ? (secure ? 8883 : 1883) : Number(port), tls: secure ? (tls ?? {}) : null };
}
