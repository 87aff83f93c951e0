/**
 * Where the gateway is and what it takes to speak to it.
 *
 *   --data-dir D   D/gateway.json (url, devicesUrl, gatewayId) + D/admin.token (+ D/pki/server-ca.crt)     this machine
 *   --url U        U + a file with the admin token (+ a CA file)                                           any machine
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "./record.js";
import { messageOf, SimError, unreachable } from "./sim-error.js";

export interface GatewayAddress {
  /** Root of the HTTP API. */
  readonly url: URL;
  /** Admin token. A secret. */
  readonly token: string;
  /** PEM to trust when `url` is https; null: the system's CAs. */
  readonly ca: string | null;
  /** Address for devices, when it is known from the gateway's own word; null: what each credential says. */
  readonly devicesUrl: string | null;
  /** Name of the gateway; empty when it is not known. */
  readonly gatewayId: string;
}

/** The gateway that runs on a data folder. @throws SimError: 3 when none runs, 1 when a file may not be read */
export function localGateway(dataDir: string): GatewayAddress {
  const path = join(dataDir, "gateway.json");
  const text = readOrNull(path);
  if (text === null) throw unreachable(`there is no ${path}: no gateway runs on this data folder`);
  const facts = parse(text);
  const url = typeof facts["url"] === "string" ? urlOrNull(facts["url"]) : null;
  if (url === null) throw unreachable(`${path} does not say where the gateway is`);
  const tokenFile = join(dataDir, "admin.token");
  const token = readOrNull(tokenFile)?.trim() ?? "";
  if (token === "") throw unreachable(`${tokenFile} is missing or empty`, "start the gateway again; it makes one");
  return {
    url,
    token,
    ca: url.protocol === "https:" ? readOrNull(join(dataDir, "pki", "server-ca.crt")) : null,
    devicesUrl: typeof facts["devicesUrl"] === "string" ? facts["devicesUrl"] : null,
    gatewayId: typeof facts["gatewayId"] === "string" ? facts["gatewayId"] : "",
  };
}

/** A gateway by its address. @throws SimError */
export function remoteGateway(named: string, tokenFile: string, caFile: string | null): GatewayAddress {
  const url = urlOrNull(named);
  if (url === null) {
    throw new SimError("the command line does not fit", `"${named}" is no address`, "use http://host:8080", 2);
  }
  const token = readOrNull(tokenFile)?.trim() ?? "";
  if (token === "") {
    const fix = "copy <dataDir>/admin.token from the gateway and name the copy";
    throw new SimError("there is no admin token", `${tokenFile} is missing or empty`, fix);
  }
  const ca = caFile === null ? null : readOrNull(caFile);
  return { url, token, ca, devicesUrl: null, gatewayId: url.host };
}

function urlOrNull(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : null;
}

/** The text of a file, null when it is not there. @throws SimError when it may not be read */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isRecord(error) && (error["code"] === "ENOENT" || error["code"] === "ENOTDIR")) return null;
    const fix = `run this as the user who may read ${path}`;
    throw new SimError("a file of the gateway cannot be read", messageOf(error), fix);
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {}; // cut off: as good as empty
  }
}
