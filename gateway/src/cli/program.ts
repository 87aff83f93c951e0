/**
 * The `tidegate` command: all verbs, put together with commander. Edge room `cli`.
 *
 *   args ─▶ commander ─▶ verb ─▶ exit code; anything thrown ─▶ three lines on stderr and its exit code
 */
import { Command, CommanderError } from "commander";
import { errorText, type ReportedError, reported, UsageError } from "./cli-error.js";
import type { CliContext } from "./context.js";
import { paintFor } from "./paint.js";
import { Shell } from "./shell.js";
import { addAdmin } from "./verbs/admin.js";
import { addBackup } from "./verbs/backup.js";
import { addCommand } from "./verbs/command.js";
import { addCompletion } from "./verbs/completion.js";
import { addConfig } from "./verbs/config.js";
import { addDevice } from "./verbs/device.js";
import { addDoctor } from "./verbs/doctor.js";
import { addGaps } from "./verbs/gaps.js";
import { addInit } from "./verbs/init.js";
import { addRun } from "./verbs/run.js";
import { addSend } from "./verbs/send.js";
import { addSerial } from "./verbs/serial.js";
import { addSim } from "./verbs/sim.js";
import { addSink } from "./verbs/sink.js";
import { addStatus } from "./verbs/status.js";
import { addVersion } from "./verbs/version.js";
import { addWatch } from "./verbs/watch.js";

const VERBS = [
  addInit,
  addRun,
  addStatus,
  addDoctor,
  addVersion,
  addConfig,
  addDevice,
  addSend,
  addWatch,
  addCommand,
  addSink,
  addGaps,
  addSerial,
  addSim,
  addAdmin,
  addBackup,
  addCompletion,
];

/**
 * Run one command line. Never throws and never ends the process.
 *
 * @param args what stands behind `tidegate`.
 * @returns the exit code: 0 done, 1 failed, 2 usage, 3 no gateway reached; `run` also 74, 75, 78.
 */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const shell = new Shell(context);
  const program = buildProgram(shell);
  try {
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync([...args], { from: "user" });
    return shell.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
    return tell(thrown instanceof CommanderError ? usageError(thrown, args, program) : thrown, args, context);
  }
}

/** The whole tree of commands, for one run. */
export function buildProgram(shell: Shell): Command {
  const { stdout } = shell.context;
  const program = new Command("tidegate")
    .description("An IoT device gateway: nothing acknowledged is lost.")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      // Errors are told once, in three lines, by `tell`.
      writeErr: () => {},
      getOutHelpWidth: () => stdout.columns,
    })
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .enablePositionalOptions();
  for (const add of VERBS) add(program, shell);
  return program;
}

function usageError(error: CommanderError, args: readonly string[], program: Command): UsageError {
  if (error.code === "commander.help") {
    const verbs = commandAt(args, program).commands.map((command) => command.name());
    return new UsageError("the command needs a verb", `name one: ${verbs.join(", ")}`);
  }
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const hint = rest
    .join(" ")
    .trim()
    .replace(/^\(|\)$/g, "");
  const fix = `see \`${pathOf(commandAt(args, program))} --help\``;
  return new UsageError(first, hint === "" ? fix : `${hint.replace(/^Did/, "did")} ${fix}`);
}

/** The innermost command that the words name. */
function commandAt(args: readonly string[], program: Command): Command {
  return args.reduce((command, word) => command.commands.find((child) => child.name() === word) ?? command, program);
}

/** How a command is typed: `tidegate device add`. */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function tell(thrown: unknown, args: readonly string[], context: CliContext): number {
  const error = reported(thrown);
  if (args.includes("--json")) context.stderr.write(`${jsonError(error)}\n`);
  else context.stderr.write(errorText(error, paintFor(context.stderr, context.env).bad));
  return error.exitCode;
}

/** With `--json`, failures are JSON too: in the shape of the API. */
function jsonError(error: ReportedError): string {
  const [what, why, fix] = error.lines;
  return JSON.stringify({ error: { code: error.code, what: what.replace(/^E_[A-Z_]+: /, ""), why, fix } });
}
