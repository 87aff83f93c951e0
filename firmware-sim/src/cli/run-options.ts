/** Options of `tidegate-sim run`: their values in the program's units, and the gateway found. */
import { resolve } from "node:path";
import type { Clock } from "@tidegate/device-sdk";
import { isName } from "@tidegate/proto";
import type { FaultPlan } from "../faults/schedule.js";
import { type GatewayAddress, localGateway, remoteGateway } from "../gateway-address.js";
import { parseBytesPerS, parseDurationMs, parseNumber, parseWhole } from "../quantity.js";
import { usageError } from "../sim-error.js";
import type { Output } from "./terminal.js";

/** What the command was told, in the units of the program. */
export interface RunOptions {
  readonly gateway: GatewayAddress;
  /** Folder of credentials between runs; null: they are made anew each time. */
  readonly credentialsDir: string | null;
  readonly devices: number;
  readonly prefix: string;
  readonly seed: number;
  readonly intervalMs: number;
  readonly connectsPerS: number;
  readonly plan: FaultPlan;
  readonly clockSkewMs: number | null;
  readonly slowLinkBytesPerS: number | null;
  readonly outboxDir: string | null;
  readonly ledgerFile: string | null;
  readonly durationMs: number | null;
  readonly json: boolean;
}

/** What a command needs of the process. */
export interface RunIo {
  readonly clock: Clock;
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The options as commander gives them. */
export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

const DEVICES_MAX = 10_000;
const RATE = { min: 0.001, max: 100 };
const DATA_DIR = "data";

/** What the options of `run` say. @throws SimError */
export function parseRun(raw: RawOptions, env: RunIo["env"]): RunOptions {
  const { gateway, dataDir } = findGateway(raw, env);
  const prefix = text(raw, "prefix") ?? "sim";
  if (!isName(`${prefix}-10000`)) throw usageError(`--prefix "${prefix}" makes no device id`, "use letters and digits");
  const rate = parseNumber("--rate", text(raw, "rate") ?? "1", RATE);
  const credentials = text(raw, "credentials");
  const folder = (name: string): string | null => resolveOrNull(text(raw, name));
  return {
    gateway,
    credentialsDir: credentials !== null ? resolve(credentials) : dataDir === null ? null : resolve(dataDir, "sim"),
    devices: parseWhole("--devices", text(raw, "devices") ?? "3", { min: 1, max: DEVICES_MAX }),
    prefix,
    seed: parseWhole("--seed", text(raw, "seed") ?? "1", { min: 0, max: 2 ** 32 - 1 }),
    intervalMs: 1_000 / rate,
    connectsPerS: parseNumber("--connect-rate", text(raw, "connectRate") ?? "100", { min: 0.1, max: 10_000 }),
    plan: {
      dropLinkEveryMs: duration(raw, "dropLink", "--drop-link"),
      rebootEveryMs: duration(raw, "reboot", "--reboot"),
      halfOpenEveryMs: duration(raw, "halfOpen", "--half-open"),
    },
    clockSkewMs: duration(raw, "clockSkew", "--clock-skew"),
    slowLinkBytesPerS: speed(raw),
    outboxDir: folder("persistent"),
    ledgerFile: folder("ledger"),
    durationMs: duration(raw, "duration", "--duration"),
    json: raw["json"] === true,
  };
}

function findGateway(raw: RawOptions, env: RunIo["env"]): { gateway: GatewayAddress; dataDir: string | null } {
  const named = text(raw, "url") ?? (text(raw, "dataDir") === null ? nonEmpty(env["TIDEGATE_URL"]) : null);
  if (named === null) {
    const dataDir = text(raw, "dataDir") ?? nonEmpty(env["TIDEGATE_DATA_DIR"]) ?? DATA_DIR;
    return { gateway: localGateway(resolve(dataDir)), dataDir: resolve(dataDir) };
  }
  const tokenFile = text(raw, "tokenFile") ?? nonEmpty(env["TIDEGATE_TOKEN_FILE"]);
  if (tokenFile === null) {
    throw usageError("a gateway named by address needs its admin token", "name the file with --token-file");
  }
  const caFile = text(raw, "ca") ?? nonEmpty(env["TIDEGATE_CA_FILE"]);
  return { gateway: remoteGateway(named, resolve(tokenFile), resolveOrNull(caFile)), dataDir: null };
}

function text(raw: RawOptions, name: string): string | null {
  const value = raw[name];
  return typeof value === "string" ? value : null;
}

const nonEmpty = (value: string | undefined): string | null => (value === undefined || value === "" ? null : value);

const resolveOrNull = (path: string | null): string | null => (path === null ? null : resolve(path));

function duration(raw: RawOptions, name: string, option: string): number | null {
  const value = text(raw, name);
  return value === null ? null : parseDurationMs(option, value);
}

function speed(raw: RawOptions): number | null {
  const value = text(raw, "slowLink");
  return value === null ? null : parseBytesPerS("--slow-link", value);
}
