/**
 * The `tidegate-sim` command: `demo` for `npm start`, `run` (also named `sim`, as `tidegate sim` passes it on),
 * `rehearse` (for `tidegate rehearse`).
 *
 *   exit codes   0 done · 1 failed · 2 the command line does not fit · 3 no gateway reached
 */
import { SystemClock } from "@tidegate/device-sdk";
import { Command, CommanderError } from "commander";
import { runDemo } from "./cli/demo.js";
import { addRehearse } from "./cli/rehearse-command.js";
import { addRun } from "./cli/run-command.js";
import { errorText } from "./cli/terminal.js";
import { asSimError, type SimError, usageError } from "./sim-error.js";

const USAGE_EXIT_CODE = 2;

/** Run what the command line says; sets the exit code, and lets the process end by itself. */
export async function main(): Promise<void> {
  const setExitCode = (code: number): void => {
    process.exitCode = code;
  };
  try {
    await makeProgram(setExitCode).parseAsync(process.argv);
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? fromCommander(thrown) : thrown;
    if (error === null) return;
    process.stderr.write(errorText(error));
    const foreseen = asSimError(error);
    setExitCode(foreseen?.exitCode ?? 1);
    if (foreseen === null && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  }
}

/** The commands and their options. @param done told the exit code */
export function makeProgram(done: (exitCode: number) => void): Command {
  const program = new Command("tidegate-sim")
    .description("Virtual devices on the real SDK, with named and seeded faults.")
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .configureHelp({ commandUsage });
  const io = { clock: new SystemClock(), out: process.stdout, err: process.stderr };
  program
    .command("demo")
    .description("three devices for the gateway that runs on a data folder, until told to stop")
    .requiredOption("--data-dir <dir>", "the gateway's data folder")
    .action(async (options: { dataDir: string }) => done(await runDemo(options.dataDir, io)));
  addRun(program, { ...io, env: process.env }, done);
  addRehearse(program, { ...io, env: process.env }, done);
  return program;
}

/** As it is typed: `tidegate sim`, where the gateway's command has passed it on, else the name of this program. */
function commandUsage(command: Command): string {
  const verb = command.parent === null ? "" : ` ${command.name()}`;
  const isPassedOn = process.env["TIDEGATE_PASSED_ON"] === "1";
  const typed = isPassedOn ? `tidegate${verb === " run" ? " sim" : verb}` : `tidegate-sim${verb}`;
  return `${typed} ${command.usage()}`;
}

/** null: nothing went wrong (help, version). */
function fromCommander(error: CommanderError): SimError | null {
  if (error.exitCode === 0) return null;
  const why = error.message.replace(/^error: /, "");
  if (error.code === "commander.help") return usageError("a command is missing", "see `tidegate-sim --help`");
  return error.exitCode === 1 || error.exitCode === USAGE_EXIT_CODE
    ? usageError(why, "see `tidegate-sim run --help`")
    : null;
}
