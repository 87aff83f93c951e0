/** What a person is told when the gateway is ready, and where devices of its network connect. */
import { isIPv4 } from "node:net";
import { hostname } from "node:os";
import { DEVICE_PATH } from "@tidegate/proto";
import type { AdminServer } from "../admin/admin-server.js";
import type { Config } from "../config/config.js";
import { machineAddresses } from "../config/machine.js";
import type { TlsMaterial } from "../config/tls-files.js";
import { sqliteVersion } from "../storage/sqlite-version.js";

/** What a person is told when the gateway is ready. */
export interface ReadyFacts {
  readonly devicesUrl: string;
  readonly dashboardUrl: string;
  /** SHA-256 of the root that devices pin, in colon-separated hex; null without TLS. */
  readonly caFingerprint: string | null;
  readonly sinkNames: readonly string[];
  readonly dataDir: string;
  /** Of the SQLite that is built in. */
  readonly sqliteVersion: string;
}

/** The facts of a gateway whose ports are bound. */
export function readyFacts(
  config: Config,
  parts: { admin: AdminServer; adminPort: number; devicesPort: number; devicesTls: TlsMaterial | null },
): ReadyFacts {
  return {
    devicesUrl: devicesUrl(config, parts.devicesPort, parts.devicesTls),
    dashboardUrl: parts.admin.url,
    caFingerprint: parts.devicesTls?.fingerprint ?? null,
    sinkNames: config.sinks.map((sink) => sink.name),
    dataDir: config.gateway.dataDir,
    sqliteVersion: sqliteVersion(),
  };
}

/** Where a device of this machine's network connects. A listener on loopback is only reached from here. */
export function devicesUrl(config: Config, port: number, tls: TlsMaterial | null): string {
  const { host } = config.devices.listen;
  const anyAddress = host === "0.0.0.0" || host === "::";
  // An address works without DNS or mDNS; devices check the pinned CA and the constant name, not the address.
  const machine = (): string => machineAddresses().find((address) => isIPv4(address)) ?? hostname();
  const name = config.devices.names[0] ?? (anyAddress ? machine() : host);
  const shown = name.includes(":") ? `[${name}]` : name;
  return `${tls === null ? "ws" : "wss"}://${shown}:${port}${DEVICE_PATH}`;
}
