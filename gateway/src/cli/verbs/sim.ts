/** `tidegate sim | rehearse | bench`: run by the sibling program, which brings the real device SDK. */
import { join } from "node:path";
import type { Command } from "commander";
import { GatewayError } from "../../core/errors.js";
import { dataDirOf } from "../find-gateway.js";
import type { Shell } from "../shell.js";

const VERBS = [
  ["sim", "simulated devices on the real SDK; see `tidegate sim --help`"],
  ["rehearse", "cut links, kill processes, and count what was lost"],
  ["bench", "measure this machine"],
] as const;

/** Adds `sim`, `rehearse` and `bench` to the program; every option behind them is passed on. */
export function addSim(program: Command, shell: Shell): void {
  for (const [verb, summary] of VERBS) {
    program
      .command(verb)
      .description(summary)
      .argument("[args...]")
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => {
        shell.exitCode = await passOn(shell, verb, args);
      });
  }
}

async function passOn(shell: Shell, verb: string, args: readonly string[]): Promise<number> {
  const { context } = shell;
  if (verb === "bench") return context.runNode(benchmark(shell), args, context.env);
  const script = context.simulator();
  if (script === null)
    throw new GatewayError("E_SIM_MISSING", "the package @tidegate/firmware-sim is not beside this one");
  return context.runNode(script, [verb, ...args], withDataDir(shell));
}

/** The benchmark builds its own load generator and peers: it is part of the repository, not of an installation. */
function benchmark(shell: Shell): string {
  const { repositoryDir } = shell.context.files;
  if (repositoryDir === null) {
    const fix = "clone the repository and run `npm run bench` there";
    throw new GatewayError("E_SIM_MISSING", "the benchmark is not part of an installation", { fix });
  }
  return join(repositoryDir, "scripts", "bench", "bench.mjs");
}

/** The simulator finds the gateway by its data folder; it reads no configuration of ours. */
function withDataDir(shell: Shell): Readonly<Record<string, string | undefined>> {
  const { env } = shell.context;
  const known = env["TIDEGATE_DATA_DIR"] ?? env["TIDEGATE_URL"];
  // Its help then says what was typed.
  const passedOn = { ...env, TIDEGATE_PASSED_ON: "1" };
  return known === undefined ? { ...passedOn, TIDEGATE_DATA_DIR: dataDirOf(shell.context, {}) } : passedOn;
}
