/**
 * Where the gateway is and what it takes to speak to it. Edge room `cli`.
 *
 *   --url / TIDEGATE_URL + TIDEGATE_TOKEN_FILE (+ --ca / TIDEGATE_CA_FILE)          any machine
 *   <dataDir>/gateway.json (url, pid) + <dataDir>/admin.token (+ pki/server-ca.crt)  this machine
 */
import { join, resolve } from "node:path";
import * as z from "zod";
import { loadConfig } from "../config/load.js";
import { errnoOf } from "../config/locations.js";
import { readSecretFile } from "../config/secret-file.js";
import { GatewayError } from "../core/errors.js";
import { UsageError, unreachable } from "./cli-error.js";
import type { CliContext } from "./context.js";

/** Options every command that speaks to a gateway has. */
export interface GatewayOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

export interface GatewayAddress {
  /** Root of the HTTP API. */
  readonly url: URL;
  /** Admin token. A secret. */
  readonly token: string;
  /** PEM of the root to trust, or null for the system's. */
  readonly ca: string | null;
}

/** What the daemon writes when it is ready. More keys may be there. */
const gatewayFile = z.looseObject({ url: z.string().max(1024), pid: z.number().int().positive() });

/** Errors: E_UNREACHABLE (nothing runs), E_FORBIDDEN (files of another user), E_CONFIG_…, UsageError. */
export function findGateway(context: CliContext, options: GatewayOptions): GatewayAddress {
  const named = options.url ?? context.env["TIDEGATE_URL"];
  return named === undefined || named === "" ? localGateway(context, options) : remoteGateway(context, options, named);
}

/** The data folder that the options, the environment and the configuration name. */
export function dataDirOf(context: CliContext, options: GatewayOptions): string {
  if (options.dataDir !== undefined) return resolve(context.files.cwd, options.dataDir);
  try {
    return loadConfig(context.files, { configPath: options.config ?? null, env: context.env }).config.gateway.dataDir;
  } catch (error) {
    // Under systemd the folder of the settings is for the gateway's group, as its token is.
    if (!(error instanceof GatewayError) || !isDenied(error.cause)) throw error;
    throw new GatewayError("E_FORBIDDEN", error.why, { fix: JOIN_GROUP, cause: error });
  }
}

function remoteGateway(context: CliContext, options: GatewayOptions, named: string): GatewayAddress {
  const tokenFile = options.tokenFile ?? context.env["TIDEGATE_TOKEN_FILE"];
  if (tokenFile === undefined || tokenFile === "") {
    const fix = "copy <dataDir>/admin.token from the gateway and name the copy with TIDEGATE_TOKEN_FILE";
    throw new UsageError("a gateway named by address needs the admin token in a file", fix);
  }
  const caFile = options.ca ?? context.env["TIDEGATE_CA_FILE"];
  const read = (path: string): string => readSecretFile(resolve(context.files.cwd, path), context.files.readFile);
  return {
    url: apiUrl(named),
    token: read(tokenFile),
    ca: caFile === undefined || caFile === "" ? null : read(caFile),
  };
}

function localGateway(context: CliContext, options: GatewayOptions): GatewayAddress {
  const dataDir = dataDirOf(context, options);
  const text = readOwn(context, join(dataDir, "gateway.json"));
  if (text === null)
    throw unreachable(`there is no ${join(dataDir, "gateway.json")}: no gateway runs on this data folder`);
  const { url, pid } = parseGatewayFile(text, dataDir);
  if (!context.isAlive(pid)) {
    throw unreachable(`${join(dataDir, "gateway.json")} is left over from process ${pid}, which has ended`);
  }
  const tokenFile = options.tokenFile ?? join(dataDir, "admin.token");
  const token = readOwn(context, resolve(context.files.cwd, tokenFile))?.trim() ?? "";
  if (token === "") {
    const fix = "restart the gateway: it makes a new one when the file is missing";
    throw new GatewayError("E_UNAUTHORIZED", `${tokenFile} is missing or empty`, { fix });
  }
  const caFile = options.ca ?? join(dataDir, "pki", "server-ca.crt");
  const ca = url.protocol === "https:" ? readOwn(context, resolve(context.files.cwd, caFile)) : null;
  return { url, token, ca };
}

function parseGatewayFile(text: string, dataDir: string): { url: URL; pid: number } {
  try {
    const { url, pid } = gatewayFile.parse(JSON.parse(text));
    return { url: apiUrl(url), pid };
  } catch {
    throw unreachable(
      `${join(dataDir, "gateway.json")} is damaged`,
      "restart the gateway: it writes the file when it is ready",
    );
  }
}

function apiUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new UsageError(`"${text}" is no address of a gateway`, "write it as http://127.0.0.1:8080 or https://…");
  }
  return url;
}

/** A file of the daemon; null when absent. Errors: E_FORBIDDEN with the line that helps. */
function readOwn(context: CliContext, path: string): string | null {
  try {
    return context.files.readFile(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    if (!isDenied(error)) throw error;
    const why = `${path} belongs to the gateway's user`;
    throw new GatewayError("E_FORBIDDEN", why, { fix: JOIN_GROUP, cause: error });
  }
}

const JOIN_GROUP = 'run `sudo usermod -aG tidegate "$USER"` and log in again, or use sudo';

function isDenied(error: unknown): boolean {
  const code = errnoOf(error);
  return code === "EACCES" || code === "EPERM";
}
