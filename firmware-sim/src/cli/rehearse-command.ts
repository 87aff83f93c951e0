/**
 * `tidegate rehearse`: an outage on this machine, on processes of its own, with the verdict of an independent checker.
 *
 *   exit codes   0 nothing lost, doubled or altered · 1 something was · 2 the command line does not fit
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { parseDurationMs, parseWhole } from "../quantity.js";
import { findProgram } from "../rehearse/find-program.js";
import { rehearseOutage } from "../rehearse/outage.js";
import { isClean, type Verdict } from "../rehearse/verdict.js";
import { SimError } from "../sim-error.js";
import type { RunIo } from "./run-options.js";
import { grouped } from "./terminal.js";

const COUNT_MAX = 1000;

type Raw = Readonly<Record<"devices" | "interval" | "before" | "outage" | "after" | "kills", string>> & {
  readonly json?: boolean;
};

/** Add `rehearse` to the program. @param done told the exit code */
export function addRehearse(program: Command, io: RunIo, done: (exitCode: number) => void): void {
  program
    .command("rehearse")
    .description("devices, gateway and a real Mosquitto as processes; the broker goes away, the gateway is killed")
    .option("--devices <n>", "counting devices", "100")
    .option("--interval <duration>", "between two readings of a device", "1s")
    .option("--before <duration>", "time before the outage", "5s")
    .option("--outage <duration>", "how long the broker is gone", "60s")
    .option("--after <duration>", "time after the outage", "10s")
    .option("--kills <n>", "how often the gateway is killed (SIGKILL) during the outage", "0")
    .option("--json", "print the verdict as JSON")
    .action(async (raw: Raw) => done(await rehearse(raw, io)));
}

async function rehearse(raw: Raw, io: RunIo): Promise<number> {
  const broker = {
    mosquitto: needed("mosquitto", "mosquitto", io),
    mosquittoSub: needed("mosquitto_sub", "mosquitto-clients", io),
  };
  const startedMs = io.clock.monoMs();
  const say = (text: string): void => {
    const elapsedS = ((io.clock.monoMs() - startedMs) / 1000).toFixed(1);
    io.err.write(`${elapsedS.padStart(6)} s  ${text}\n`);
  };
  const dir = mkdtempSync(join(tmpdir(), "tidegate-rehearse-"));
  try {
    const verdict = await rehearseOutage({
      dir,
      deviceCount: parseWhole("--devices", raw.devices, { min: 1, max: COUNT_MAX }),
      intervalMs: parseDurationMs("--interval", raw.interval),
      beforeMs: parseDurationMs("--before", raw.before),
      outageMs: parseDurationMs("--outage", raw.outage),
      afterMs: parseDurationMs("--after", raw.after),
      kills: parseWhole("--kills", raw.kills, { min: 0, max: COUNT_MAX }),
      broker,
      say,
    });
    io.out.write(raw.json === true ? `${JSON.stringify(verdict)}\n` : verdictText(verdict));
    return isClean(verdict) ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function needed(command: string, debianPackage: string, io: RunIo): string {
  const path = findProgram(command, io.env["PATH"] ?? "");
  if (path !== null) return path;
  throw new SimError("a program is missing", `${command} is not on this machine`, `apt-get install ${debianPackage}`);
}

/** The verdict as a person reads it: what happened, then what must be zero. */
export function verdictText(verdict: Verdict): string {
  const rows: [string, number, string][] = [
    ["attempted", verdict.attempted, "readings handed to the SDK"],
    ["acked", verdict.acked, "of them acknowledged to the device"],
    ["unique", verdict.unique, "different readings at the subscriber"],
    ["repeats", verdict.repeats, "messages that arrived again under the same id, byte for byte"],
    ["missing", verdict.missing, "acked and never arrived"],
    ["doubled", verdict.doubled, "arrived under two ids"],
    ["altered", verdict.altered, "repeats with other bytes"],
    ["disordered", verdict.outOfOrder, "first arrivals out of their order"],
    ["invented", verdict.invented, "arrived and never attempted"],
  ];
  const lines = rows.map(([name, count, what]) => `  ${name.padEnd(11)}${grouped(count).padStart(9)}   ${what}`);
  const end = isClean(verdict) ? "kept: nothing acked is lost, nothing is doubled" : "BROKEN";
  return `${[...lines, ...verdict.faults.map((fault) => `  ! ${fault}`), `  ${end}`].join("\n")}\n`;
}
