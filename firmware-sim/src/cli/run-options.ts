/** Options of `tidegate-sim run`: their values in the program's units, and the gateway found. */
import { resolve } from "node:path";
import type { Clock } from "@tidegate/device-sdk";
import { isName } from "@tidegate/proto";
import { type BoardKind, boardKind } from "../boards/board-kind.js";
import type { LineErrorRates } from "../boards/line-faults.js";
import type { FaultPlan } from "../faults/schedule.js";
import { type GatewayAddress, localGateway, remoteGateway } from "../gateway-address.js";
import { parseBytesPerS, parseDurationMs, parseNumber, parseShare, parseWhole } from "../quantity.js";
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
  /** Emulated boards beside the virtual devices; null: none. */
  readonly boards: BoardWish | null;
}

/** Which boards, and how bad their lines are. */
export interface BoardWish {
  readonly kinds: readonly BoardKind[];
  /** How many of each kind. */
  readonly perKind: number;
  readonly rates: LineErrorRates;
  /** Data folder of the gateway on this machine: its boards plug themselves in below it. */
  readonly dataDir: string;
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
/** An AVR takes a fifth of a core in real time, a Cortex-M a twentieth. */
const BOARDS_MAX = 64;
const DATA_DIR = "data";
/** What a fleet of virtual devices can have and a board cannot: its clock, link and outbox are its own. */
const NOT_FOR_BOARDS = ["clock-skew", "slow-link", "persistent", "ledger"] as const;

/** What the options of `run` say. @throws SimError */
export function parseRun(raw: RawOptions, env: RunIo["env"]): RunOptions {
  const { gateway, dataDir } = findGateway(raw, env);
  const prefix = text(raw, "prefix") ?? "sim";
  if (!isName(`${prefix}-10000`)) throw usageError(`--prefix "${prefix}" makes no device id`, "use letters and digits");
  const rate = parseNumber("--rate", text(raw, "rate") ?? "1", RATE);
  const credentials = text(raw, "credentials");
  const folder = (name: string): string | null => resolveOrNull(text(raw, name));
  const boards = boardsOf(raw, dataDir);
  return {
    gateway,
    boards,
    credentialsDir: credentials !== null ? resolve(credentials) : dataDir === null ? null : resolve(dataDir, "sim"),
    devices:
      boards !== null && text(raw, "devices") === null
        ? 0
        : parseWhole("--devices", text(raw, "devices") ?? "3", { min: 1, max: DEVICES_MAX }),
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

function boardsOf(raw: RawOptions, dataDir: string | null): BoardWish | null {
  const names = text(raw, "board");
  if (names === null) {
    const [lonely] = ["boards", "byteErrors", "lostBytes", "extraBytes"].filter((name) => text(raw, name) !== null);
    if (lonely === undefined) return null;
    throw usageError(
      `--${dashed(lonely)} is for emulated boards`,
      "say which with --board, for example --board microbit",
    );
  }
  const unfit = NOT_FOR_BOARDS.find((name) => text(raw, camel(name)) !== null);
  if (unfit !== undefined) {
    throw usageError(`--${unfit} does not work on emulated boards`, `run the virtual devices with --${unfit} apart`);
  }
  if (dataDir === null) {
    const fix = "run it beside the gateway, with --data-dir instead of --url";
    throw usageError("boards plug themselves into a gateway on this machine, not into one named by address", fix);
  }
  const kinds = [...new Set(names.split(",").map((name) => name.trim()))].map(boardKind);
  const perKind = parseWhole("--boards", text(raw, "boards") ?? "1", { min: 1, max: BOARDS_MAX });
  if (perKind * kinds.length > BOARDS_MAX) {
    throw usageError(`${perKind * kinds.length} boards are too many`, `run at most ${BOARDS_MAX} on one gateway`);
  }
  const rates = lineErrors(raw);
  if (rates.flipped + rates.lost + rates.inserted > 0 && kinds.some(({ link }) => link === "ethernet")) {
    throw usageError("bytes go wrong on serial lines; Ethernet and TCP send again", "run --board ethernet apart");
  }
  return { kinds, perKind, rates, dataDir };
}

function lineErrors(raw: RawOptions): LineErrorRates {
  const share = (name: string): number => parseShare(`--${dashed(name)}`, text(raw, name) ?? "0%");
  return { flipped: share("byteErrors"), lost: share("lostBytes"), inserted: share("extraBytes") };
}

const dashed = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const camel = (name: string): string => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

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
