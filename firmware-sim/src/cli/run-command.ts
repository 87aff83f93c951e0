/** `tidegate-sim run` as people type it: its options and what each means. */
import type { Command } from "commander";
import { runFleet } from "./run.js";
import { parseRun, type RawOptions, type RunIo } from "./run-options.js";

const TEXT_OPTIONS: readonly (readonly [string, string])[] = [
  ["--devices <n>", "how many virtual devices (3; none beside --board)"],
  ["--board <kinds>", "run firmware images on emulated boards: microbit, mps2, uno, mega, native; several with commas"],
  ["--boards <n>", "how many of each kind"],
  ["--byte-errors <share>", "boards: share of bytes hit on their lines: 0.1%"],
  ["--lost-bytes <share>", "boards: share of bytes lost"],
  ["--extra-bytes <share>", "boards: share of bytes that nobody sent"],
  ["--rate <per second>", "sets of readings per second and device"],
  ["--prefix <name>", "devices are called <name>-0001 …"],
  ["--seed <n>", "values and faults follow from it"],
  ["--connect-rate <per second>", "devices switched on per second"],
  ["--data-dir <dir>", "data folder of the gateway on this machine"],
  ["--url <url>", "admin address of a gateway elsewhere (with --token-file)"],
  ["--token-file <file>", "file with its admin token"],
  ["--ca <file>", "CA of its admin address, PEM"],
  ["--credentials <dir>", "where the devices' credentials are kept; <data-dir>/sim with --data-dir"],
  ["--drop-link <every>", "reset links, about so often per device: 30s"],
  ["--reboot <every>", "reboot devices, about so often: 60s"],
  ["--half-open <every>", "let links go dead silently, about so often: 45s"],
  ["--clock-skew <max>", "wrong wall clocks, up to so much, and uptimes that wrap: 1h"],
  ["--slow-link <speed>", "all lines pass so much: 2000B/s"],
  ["--persistent <dir>", "outboxes in files that survive reboots"],
  ["--ledger <file>", "write every attempted and acked id, as JSON lines"],
  ["--duration <time>", "end after it: 60s"],
];

/** Adds `run`. @param done told the exit code */
export function addRun(program: Command, io: RunIo, done: (exitCode: number) => void): void {
  const command = program.command("run").alias("sim").description("virtual devices and emulated boards, with faults");
  for (const [flags, summary] of TEXT_OPTIONS) command.option(flags, summary);
  command.option("--json", "print the summary as JSON");
  command.action(async (raw: RawOptions) => done(await runFleet(parseRun(raw, io.env), io)));
}
