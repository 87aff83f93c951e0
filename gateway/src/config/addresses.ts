/**
 * Network addresses as they stand in the configuration: `host:port`, names and addresses for certificates, networks.
 * Edge room `config`, pure functions.
 */
import { isIP, isIPv6 } from "node:net";

/** Where a server listens. Port 0: any free port; the bound one is printed and in gateway.json. */
export interface Listen {
  /** A host name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0 … 65,535. */
  readonly port: number;
}

const LISTEN = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/;
/** One part of a host name; names of real networks have underscores too. */
const HOST_LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

const HOST_CHARS_MAX = 253;

/** `0.0.0.0:8443`, `localhost:0`, `[::1]:8080`; null when the text is none of these. */
export function parseListen(text: string): Listen | null {
  const match = LISTEN.exec(text);
  if (match === null) return null;
  const [, v6, name, portText] = match;
  const port = Number(portText);
  if (port > 65_535 || (v6 !== undefined && !isIPv6(v6))) return null;
  const host = v6 ?? name ?? "";
  // What looks like an IPv4 address must be one: 127.0.0.300 would otherwise be asked of the DNS.
  if (/^[\d.]+$/.test(host) && isIP(host) === 0) return null;
  return { host, port };
}

/** The text that `parseListen` reads back as the same. */
export function formatListen(listen: Listen): string {
  return listen.host.includes(":") ? `[${listen.host}]:${listen.port}` : `${listen.host}:${listen.port}`;
}

/** Does nothing outside this machine reach a server that listens here? */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** May the text stand in a certificate: a host name (also `*.example.net`) or an IP address? */
export function isHostOrAddress(text: string): boolean {
  if (isIP(text) !== 0) return true;
  const name = text.startsWith("*.") ? text.slice(2) : text;
  // Digits and dots alone are an address that is none.
  if (name.length > HOST_CHARS_MAX || /^[\d.]*$/.test(name)) return false;
  return name.split(".").every((label) => HOST_LABEL.test(label));
}

/** A network such as `10.0.0.0/8` or `fd00::/8`, or a single address. */
export function isNetwork(text: string): boolean {
  const [address = "", prefix, extra] = text.split("/");
  const family = isIP(address);
  if (family === 0 || extra !== undefined) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
