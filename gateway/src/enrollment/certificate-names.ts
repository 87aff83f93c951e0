/** Which names a gateway's certificate carries, and whether one fits them. Domain room `enrollment`, pure. */
import type { X509Certificate } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { CONSTANT_SERVER_NAME } from "@tidegate/proto";

/** A certificate with more names would not fit the receive buffer of a small device. */
export const CERTIFICATE_NAMES_MAX = 48;

export interface NameFacts {
  readonly hostname: string;
  /** Addresses of this machine's interfaces. */
  readonly addresses: readonly string[];
  /** `devices.names` of the configuration; they come before the addresses when there are too many. */
  readonly configured: readonly string[];
}

/**
 * The names in the order they are written: the constant one first, then localhost, the host's, the configured ones,
 * the addresses. Unusable ones (a host name with spaces, link-local IPv6) are left out; at most CERTIFICATE_NAMES_MAX.
 */
export function gatewayNames(facts: NameFacts): string[] {
  const host = facts.hostname.toLowerCase();
  const names = [CONSTANT_SERVER_NAME, "localhost", "127.0.0.1", "::1", host];
  if (!host.includes(".")) names.push(`${host}.local`);
  names.push(...facts.configured.map((name) => name.toLowerCase()), ...facts.addresses.filter(isLasting).sort());
  const usable = names.filter((name) => isIP(name) !== 0 || /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name));
  return [...new Set(usable)].slice(0, CERTIFICATE_NAMES_MAX);
}

/** Link-local IPv6 addresses need a zone to be used, which a certificate cannot hold. */
function isLasting(address: string): boolean {
  return isIPv4(address) ? !address.startsWith("127.") : !/^(fe80:|::1$)/i.test(address);
}

/** The names a certificate carries, in one spelling, sorted. */
export function namesOf(certificate: X509Certificate): string[] {
  const text = certificate.subjectAltName ?? "";
  return text
    .split(", ")
    .map((part) => canonical(part.replace(/^(DNS|IP Address):/, "")))
    .filter((name) => name !== "")
    .sort();
}

/** Does a certificate carry exactly these names? */
export function carriesNames(certificate: X509Certificate, names: readonly string[]): boolean {
  const actual = namesOf(certificate);
  const wanted = [...new Set(names.map(canonical))].sort();
  return actual.length === wanted.length && actual.every((name, index) => name === wanted[index]);
}

/** IPv6 addresses have many spellings; URL's is the shortest one. */
function canonical(name: string): string {
  return isIP(name) === 6 ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name.toLowerCase();
}
