/**
 * The pure rules that keep strangers out of the admin edge: where it may listen, which Host it answers to, and which
 * Origin may change things.
 *
 *   evil.example ──DNS rebinding──▶ 127.0.0.1:8080   Host: evil.example        → refused by `hostAllowed`
 *   evil.example ──form, fetch, ws─▶ 127.0.0.1:8080  Origin: http://evil.ex…   → refused by `originAllowed`
 */
import { isIP } from "node:net";
import { GatewayError } from "../core/errors.js";

/** Host names without port, lower case, brackets of IPv6 removed; null when it is not a legal Host value. */
export function hostName(host: string | undefined): string | null {
  if (host === undefined || host.length > 300) return null;
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i.exec(host);
  const name = match?.[1] ?? match?.[2];
  return name === undefined ? null : name.toLowerCase().replace(/\.$/, "");
}

/** Is a listening host reachable from this machine only? */
export function isLoopback(listenHost: string): boolean {
  const name = listenHost.toLowerCase();
  return name === "localhost" || name === "::1" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/**
 * Is this a Host we are reached by? On loopback: localhost, loopback addresses and the configured names. Elsewhere
 * also literal addresses, which DNS cannot rebind, and the names of this machine.
 *
 * @param names configured and machine names, lower case.
 */
export function hostAllowed(host: string | undefined, listenHost: string, names: ReadonlySet<string>): boolean {
  const name = hostName(host);
  if (name === null) return false;
  if (name === "localhost" || isLoopback(name) || names.has(name)) return true;
  return !isLoopback(listenHost) && isIP(name) !== 0;
}

/**
 * May a request of that Origin change something or open the live feed? Programs send none; browsers always send one
 * with unsafe methods and WebSockets, and it must be the host they talk to.
 */
export function originAllowed(origin: string | undefined, host: string | undefined, fetchSite?: string): boolean {
  if (fetchSite === "cross-site" || fetchSite === "same-site") return false;
  if (origin === undefined) return true;
  if (!/^https?:\/\//i.test(origin) || !URL.canParse(origin) || host === undefined) return false;
  return new URL(origin).host === host.toLowerCase();
}

/** May a request of that method change something? */
export function isUnsafe(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

export interface Exposure {
  readonly listenHost: string;
  readonly passwordSet: boolean;
  /** `files`: own certificate; `off`: said by the operator, who has a TLS proxy in front; `none`: nothing said. */
  readonly tls: "files" | "off" | "none";
}

/** The loopback rule. Errors: E_CONFIG_UNSAFE when the admin API would be open to the network. */
export function checkExposure(exposure: Exposure): void {
  if (isLoopback(exposure.listenHost)) return;
  const where = `admin.listen is ${exposure.listenHost}, reachable from other machines`;
  if (!exposure.passwordSet) {
    throw new GatewayError("E_CONFIG_UNSAFE", `${where}, and no administrator password is set`, {
      fix: "set one with `tidegate admin password`, or listen on 127.0.0.1",
    });
  }
  if (exposure.tls === "none") {
    throw new GatewayError("E_CONFIG_UNSAFE", `${where}, without TLS`, {
      fix: "set admin.tls: {cert, key}; or `tls: off` when a proxy in front does TLS; or listen on 127.0.0.1",
    });
  }
}
