/**
 * `tidegate rehearse`: an outage on this machine, on processes of its own, with the verdict of an independent checker;
 * or, with `--commands`, every crash around a command.
 *
 *   exit codes   0 nothing lost, doubled or altered · 1 something was · 2 the command line does not fit
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { parseDurationMs, parseWhole } from "../quantity.js";
import { SeededRandom } from "../random.js";
import { EDITIONS, type Edition } from "../rehearse/actor-process.js";
import type { ApiWatched } from "../rehearse/api-watch.js";
import { OPERATION_NAMES, type Operation } from "../rehearse/faultline.js";
import { FAULT_NAMES, FAULTS, type FaultName } from "../rehearse/faults.js";
import { findProgram } from "../rehearse/find-program.js";
import { type KillStage, rehearseKillPoints, rehearseRandomKills } from "../rehearse/kills.js";
import { rehearseOutage } from "../rehearse/outage.js";
import { isClean, type Verdict } from "../rehearse/verdict.js";
import { SimError, usageError } from "../sim-error.js";
import { areKept, commandsText, playCommandWays } from "./rehearse-commands.js";
import type { RunIo } from "./run-options.js";
import { grouped } from "./terminal.js";

const COUNT_MAX = 100_000;

type Raw = Readonly<
  Record<"devices" | "interval" | "before" | "outage" | "after" | "kills" | "fault", string> &
    Record<"from" | "to" | "step" | "messages" | "life" | "seed", string>
> & {
  readonly json?: boolean;
  readonly killAt?: Operation;
  readonly randomKills?: string;
  readonly commands?: boolean;
  readonly edition: Edition;
};

/** Add `rehearse` to the program. @param done told the exit code */
export function addRehearse(program: Command, io: RunIo, done: (exitCode: number) => void): void {
  program
    .command("rehearse")
    .description("devices, gateway and a real Mosquitto as processes; something goes wrong, and a checker counts")
    .option("--devices <n>", "counting devices", "100")
    .option("--interval <duration>", "between two readings of a device", "1s")
    .option("--before <duration>", "time before the first fault", "5s")
    .option("--fault <names>", "what goes wrong, one after the other, or `all`; see below", "broker-down")
    .option("--outage <duration>", "how long each fault lasts", "60s")
    .option("--after <duration>", "time after each fault", "10s")
    .option("--kills <n>", "how often the gateway is killed (SIGKILL) during each fault", "0")
    .addOption(
      new Option("--kill-at <call>", "kill it at the k-th call of its life, for every k").choices([...OPERATION_NAMES]),
    )
    .option("--commands", "kill gateway and device at the k-th call around a command, for every k; minutes")
    .addOption(new Option("--edition <sdk>", "with --commands: the device's SDK").choices([...EDITIONS]).default("ts"))
    .option("--from <k>", "with --kill-at, --commands: the first k", "1")
    .option("--to <k>", "with --kill-at, --commands: the last k", String(COUNT_MAX))
    .option("--step <k>", "with --kill-at, --commands: from one k to the next", "1")
    .option("--messages <n>", "with --kill-at: messages of one life; it ends at the k that lies behind them", "200")
    .option("--random-kills <n>", "kill it so often at moments of chance")
    .option("--life <duration>", "with --random-kills: the longest life", "2s")
    .option("--seed <n>", "with --random-kills: of chance", "1")
    .option("--json", "print the verdict as JSON")
    .addHelpText("after", faultHelp())
    .action(async (raw: Raw) => done(await rehearse(raw, io)));
}

function faultHelp(): string {
  const lines = FAULT_NAMES.map((name) => `  ${name.padEnd(14)}${FAULTS[name].what}`);
  const exits = "Exit code 0: nothing acked was lost, nothing was doubled or altered. 1: something was.";
  return `\nFaults:\n${lines.join("\n")}\n\n${exits}`;
}

async function rehearse(raw: Raw, io: RunIo): Promise<number> {
  const startedMs = io.clock.monoMs();
  const say = (text: string): void => {
    const elapsedS = ((io.clock.monoMs() - startedMs) / 1000).toFixed(1);
    io.err.write(`${elapsedS.padStart(6)} s  ${text}\n`);
  };
  needed("cc", "gcc", io);
  const dir = mkdtempSync(join(tmpdir(), "tidegate-rehearse-"));
  try {
    return raw.commands === true
      ? await rehearseCommands(raw, io, { dir, say })
      : await rehearseData(raw, io, { dir, say });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function rehearseData(raw: Raw, io: RunIo, stage: Omit<KillStage, "broker">): Promise<number> {
  const faults = faultsOf(raw.fault);
  const broker = {
    mosquitto: needed("mosquitto", "mosquitto", io),
    mosquittoSub: needed("mosquitto_sub", "mosquitto-clients", io),
  };
  const verdict = await play(raw, faults, { ...stage, broker });
  io.out.write(raw.json === true ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
  return isClean(verdict) ? 0 : 1;
}

async function rehearseCommands(
  raw: Raw,
  io: RunIo,
  stage: { readonly dir: string; readonly say: (text: string) => void },
): Promise<number> {
  const ways = await playCommandWays({ ...stage, edition: raw.edition, points: pointsOf(raw) });
  io.out.write(raw.json === true ? `${JSON.stringify({ ways })}\n` : commandsText(ways));
  return areKept(ways) ? 0 : 1;
}

const whole = (option: string, text: string, min = 1): number => parseWhole(option, text, { min, max: COUNT_MAX });

function pointsOf(raw: Raw): { from: number; to: number; step: number } {
  return { from: whole("--from", raw.from), to: whole("--to", raw.to), step: whole("--step", raw.step) };
}

function play(raw: Raw, faults: readonly FaultName[], stage: KillStage): Promise<Verdict> {
  if (raw.killAt !== undefined) {
    const messages = whole("--messages", raw.messages);
    return rehearseKillPoints({ ...stage, operation: raw.killAt, ...pointsOf(raw), messages });
  }
  const devices = raw.devices;
  if (raw.randomKills !== undefined) {
    return rehearseRandomKills({
      ...stage,
      kills: whole("--random-kills", raw.randomKills),
      deviceCount: whole("--devices", devices),
      lifeMsMax: parseDurationMs("--life", raw.life),
      random: new SeededRandom(whole("--seed", raw.seed)),
    });
  }
  return rehearseOutage({
    ...stage,
    faults,
    deviceCount: parseWhole("--devices", devices, { min: 1, max: 1_000 }),
    intervalMs: parseDurationMs("--interval", raw.interval),
    beforeMs: parseDurationMs("--before", raw.before),
    outageMs: parseDurationMs("--outage", raw.outage),
    afterMs: parseDurationMs("--after", raw.after),
    kills: whole("--kills", raw.kills, 0),
  });
}

function faultsOf(text: string): readonly FaultName[] {
  if (text === "all") return FAULT_NAMES;
  return text.split(",").map((word) => {
    const found = FAULT_NAMES.find((name) => name === word.trim());
    if (found !== undefined) return found;
    throw usageError(`--fault "${word}" is not known`, `use some of ${FAULT_NAMES.join(", ")}, with commas, or all`);
  });
}

function needed(command: string, debianPackage: string, io: RunIo): string {
  const path = findProgram(command, io.env["PATH"] ?? "");
  if (path !== null) return path;
  throw new SimError("a program is missing", `${command} is not on this machine`, `apt-get install ${debianPackage}`);
}

/** The verdict as a person reads it: what happened, then what must be zero. */
export function verdictText(verdict: Verdict): string {
  const rows: [string, number, string][] = [
    ["sent", verdict.attempted, "readings handed to the SDK"],
    ["acked", verdict.acked, "of them acknowledged to the device"],
    ["delivered", verdict.unique, "different readings at the subscriber"],
    ["repeated", verdict.repeats, "messages that came again under the same id, byte for byte"],
    ["listed", verdict.listed, "acked, not delivered, and on the list of gaps"],
    ["lost", verdict.missing, "acked, not delivered, on no list"],
    ["doubled", verdict.doubled, "delivered under two ids"],
    ["altered", verdict.altered, "repeats with other bytes"],
    ["disordered", verdict.outOfOrder, "first arrivals out of their order"],
    ["invented", verdict.invented, "delivered and never sent"],
  ];
  const lines = rows.map(([name, count, what]) => `  ${name.padEnd(11)}${grouped(count).padStart(9)}   ${what}`);
  const end = isClean(verdict) ? "kept: nothing acked is lost, nothing is doubled" : "BROKEN";
  const faults = verdict.faults.map((fault) => `  ! ${fault}`);
  return `${[...lines, ...factLines(verdict), ...faults, `  ${end}`].join("\n")}\n`;
}

/** What one kind of rehearsal knows beside the verdict. */
function factLines(verdict: Verdict): string[] {
  const lines: string[] = [];
  if ("kills" in verdict && "killsWhileStarting" in verdict) {
    lines.push(
      `  the gateway was killed ${verdict.kills} times, ${verdict.killsWhileStarting} of them while it started`,
    );
  }
  if ("lastPoint" in verdict && verdict.lastPoint !== 0) lines.push(`  up to call ${verdict.lastPoint}`);
  if ("api" in verdict) {
    const { asked, p99Ms, unanswered } = verdict.api as ApiWatched; // of an OutageVerdict
    lines.push(`  its API was asked ${grouped(asked)} times: 99 % within ${p99Ms} ms, ${unanswered} without an answer`);
  }
  return lines;
}
