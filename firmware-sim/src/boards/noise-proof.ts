/**
 * The proof on bad lines: firmware images on emulated boards, the real gateway, a real Mosquitto; telemetry and
 * commands while bytes are hit in both directions; then an account of every reading and every command.
 *
 *   board ─ faults ─ gateway ─ Mosquitto ─▶ readings ─┐
 *   image's own counters (count, executed) ───────────┼─▶ account: absent = listed, executed = answered
 *   gateway's list of gaps and commands ──────────────┘
 */
import { join } from "node:path";
import type { Clock } from "@tidegate/device-sdk";
import { NO_FAULTS } from "../faults/schedule.js";
import { BrokerProcess } from "../rehearse/broker-process.js";
import { pause, until } from "../rehearse/child.js";
import { GatewayProcess } from "../rehearse/gateway-process.js";
import { type Account, accountOf, type Gap } from "./account.js";
import { BoardFleet } from "./board-fleet.js";
import type { BoardKind } from "./board-kind.js";
import { NO_LINE_ERRORS } from "./line-faults.js";

/** One board under one rate. */
export interface NoiseCase {
  readonly kind: BoardKind;
  /** Share of bytes hit in each direction, 0 … 0.2. */
  readonly byteErrors: number;
}

/** What is to be proven, on what. */
export interface NoiseOptions {
  readonly cases: readonly NoiseCase[];
  readonly builds: ReadonlyMap<BoardKind, string>;
  /** An empty folder. */
  readonly dir: string;
  readonly noiseMs: number;
  readonly seed: number;
  readonly clock: Clock;
  /** The PATH on which emulators are found. */
  readonly path: string;
  readonly broker: { readonly mosquitto: string; readonly mosquittoSub: string };
}

/** What became of the commands of one board. */
export interface CommandCount {
  readonly sent: number;
  readonly succeeded: number;
  /** Of those that have no result: the gateway says so, and says why. */
  readonly unknown: number;
  readonly expired: number;
  /** Results whose bytes are not what was sent. */
  readonly wrong: number;
}

/** What one board went through, and whether every promise was kept. */
export interface NoiseVerdict {
  readonly board: string;
  readonly byteErrors: number;
  readonly bytesHit: number;
  readonly account: Account;
  readonly commands: CommandCount;
  /** What must not be, in words; empty when every promise was kept. */
  readonly faults: readonly string[];
}

/** 20 readings and 4 commands a second, as the targets say. */
const INTERVAL_MS = 50;
const COMMAND_EVERY_MS = 250;
/** A command may wait through a bad stretch, and is then too late. */
const COMMAND_TTL_MS = 5_000;
/** The image says `executed` with every 16th reading. */
const READINGS_PER_WORD = 17;
const SETTLE_MS_MAX = 60_000;
const FINAL = ["succeeded", "failed", "expired", "cancelled", "unknown"];

interface Command {
  readonly id: string;
  readonly n: number;
}

/** Run all cases at once on one gateway. @returns a verdict per case */
export async function proveNoise(options: NoiseOptions): Promise<NoiseVerdict[]> {
  const broker = await BrokerProcess.start({ dir: join(options.dir, "broker"), ...options.broker });
  await broker.subscribe();
  const gateway = await GatewayProcess.start({
    dir: join(options.dir, "site"),
    settings: { sinks: [{ name: "north", type: "mqtt", url: broker.url }] },
  });
  try {
    return await Promise.all(
      options.cases.map((each, index) => proveOne(each, index, { ...options, gateway, log: broker })),
    );
  } finally {
    await gateway.stop();
    await broker.end();
  }
}

interface Site {
  readonly gateway: GatewayProcess;
  readonly log: BrokerProcess;
}

async function proveOne(
  { kind, byteErrors }: NoiseCase,
  index: number,
  site: NoiseOptions & Site,
): Promise<NoiseVerdict> {
  const { gateway, builds, clock, seed, noiseMs, log, path } = site;
  const board = `${kind.name}-${String(byteErrors * 1000).replace(".", "-")}`;
  const credential = await gateway.addDevice(board);
  const troubles: string[] = [];
  const fleet = await BoardFleet.start({
    boards: [{ kind, credential }],
    ...{ builds, clock, path, dataDir: gateway.dataDir, intervalMs: INTERVAL_MS, seed: seed + index, plan: NO_FAULTS },
    // Good until it is online: what a board cannot say before its first session is another story.
    rates: NO_LINE_ERRORS,
    onTrouble: (detail) => troubles.push(detail),
    onReady: () => {},
  });
  try {
    await until(`${board} is online`, () => fleet.online === 1, SETTLE_MS_MAX);
    for (const wired of fleet.boards) wired.spoilLine({ ...NO_LINE_ERRORS, flipped: byteErrors });
    const commands = await commandFor(noiseMs, board, gateway);
    const count = await commandCount(commands, board, gateway);
    await lastWord(board, log);
    const account = accountOf(board, log.received(), await gapsOf(board, gateway));
    const bytesHit = fleet.lineErrors.flipped;
    const faults = [...troubles, ...account.faults, ...commandFaults(count, account.executed)];
    return { board, byteErrors, bytesHit, account, commands: count, faults };
  } finally {
    await fleet.stop();
  }
}

/** Send a command four times a second for a while; those that the gateway did not take are not counted. */
async function commandFor(noiseMs: number, board: string, gateway: GatewayProcess): Promise<Command[]> {
  const commands: Command[] = [];
  for (let n = 1; n <= noiseMs / COMMAND_EVERY_MS; n += 1) {
    const wish = { name: "echo", args: { n }, ttlMs: COMMAND_TTL_MS };
    const { status, body } = await gateway.call("POST", `/api/v1/devices/${board}/commands`, wish);
    if (status === 202) commands.push({ id: String(body.commandId), n });
    await pause(COMMAND_EVERY_MS);
  }
  return commands;
}

/** Wait until every command has ended, and say how. */
async function commandCount(
  commands: readonly Command[],
  board: string,
  gateway: GatewayProcess,
): Promise<CommandCount> {
  const count = { sent: commands.length, succeeded: 0, unknown: 0, expired: 0, wrong: 0 };
  for (const { id, n } of commands) {
    let shown = (await gateway.call("GET", `/api/v1/commands/${id}`)).body;
    await until(
      `command ${n} of ${board} has ended`,
      async () => {
        shown = (await gateway.call("GET", `/api/v1/commands/${id}`)).body;
        return FINAL.includes(shown.state);
      },
      SETTLE_MS_MAX,
    );
    if (shown.state === "succeeded") {
      count.succeeded += 1;
      if (shown.result?.n !== n) count.wrong += 1;
    } else if (shown.state === "unknown") count.unknown += 1;
    else count.expired += 1;
  }
  return count;
}

/** Wait until the subscriber has what the image says of itself after its last command. */
async function lastWord(board: string, log: BrokerProcess): Promise<void> {
  const arrived = (): number => accountOf(board, log.received(), []).arrived;
  const before = arrived();
  await until(`${board} has the last word`, () => arrived() >= before + READINGS_PER_WORD, SETTLE_MS_MAX);
}

async function gapsOf(board: string, gateway: GatewayProcess): Promise<Gap[]> {
  const { body } = await gateway.call("GET", `/api/v1/gaps?device=${board}&limit=10000`);
  return body.gaps;
}

/** Each command that succeeded ran once; what is not known to have run ran at most once. */
function commandFaults({ succeeded, unknown, wrong }: CommandCount, executed: number): string[] {
  const faults: string[] = [];
  if (wrong > 0) faults.push(`${wrong} commands were answered with other bytes`);
  if (executed < succeeded || executed > succeeded + unknown) {
    faults.push(`the board executed ${executed}, the gateway knows of ${succeeded} done and ${unknown} unknown`);
  }
  return faults;
}
