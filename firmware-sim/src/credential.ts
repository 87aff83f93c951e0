/**
 * Credentials of simulated devices: what the gateway gave, and the folder in which it is kept between runs.
 *
 *   <folder>/<device>.json   0600   { deviceId, token, url, ca, gatewayId }
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "./record.js";

/** Everything a firmware needs, as `tidegate device add --json` prints it. */
export interface Credential {
  readonly deviceId: string;
  /** A secret. */
  readonly token: string;
  /** `wss://host:8443/v1/device` */
  readonly url: string;
  /** PEM of the CA to pin; null: the system's CAs count. */
  readonly ca: string | null;
}

/** A folder of credentials, readable by its owner alone. */
export class CredentialStore {
  readonly #dir: string;

  /** @param dir made when it is not there */
  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
    this.#dir = dir;
  }

  /** The credential of a device with this gateway; null when there is none, or it cannot be read. */
  read(device: string, gatewayId: string): Credential | null {
    let text: string;
    try {
      text = readFileSync(this.#file(device), "utf8");
    } catch {
      return null; // none yet
    }
    const kept = parseKept(text);
    return kept?.credential.deviceId === device && kept.gatewayId === gatewayId ? kept.credential : null;
  }

  write(credential: Credential, gatewayId: string): void {
    const file = this.#file(credential.deviceId);
    // Written beside and renamed: a token that is cut off half-way would be a device that is locked out.
    rmSync(`${file}.new`, { force: true });
    writeFileSync(`${file}.new`, `${JSON.stringify({ ...credential, gatewayId }, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  #file(device: string): string {
    return join(this.#dir, `${device}.json`);
  }
}

/** The credential in a JSON value of the gateway or of a file; null when it is none. */
export function credentialOf(value: unknown): Credential | null {
  if (!isRecord(value)) return null;
  const { deviceId, token, url, ca } = value;
  if (typeof deviceId !== "string" || typeof token !== "string" || typeof url !== "string") return null;
  if (typeof ca !== "string" && ca !== null) return null;
  return { deviceId, token, url, ca };
}

function parseKept(text: string): { readonly credential: Credential; readonly gatewayId: string } | null {
  try {
    const value: unknown = JSON.parse(text);
    const credential = credentialOf(value);
    const gatewayId = isRecord(value) && typeof value["gatewayId"] === "string" ? value["gatewayId"] : "";
    return credential === null ? null : { credential, gatewayId };
  } catch {
    return null; // cut off or edited: as good as none
  }
}
