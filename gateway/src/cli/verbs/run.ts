/** `tidegate run`: the gateway itself, in the foreground. */
import type { Command } from "commander";
import { configVerb, type Shell } from "../shell.js";

/** Adds `run` to the program; it ends with the exit code of the gateway. */
export function addRun(program: Command, shell: Shell): void {
  configVerb(program, "run", "run the gateway in the foreground")
    .option("--failure-page", "while the configuration is refused, say so in the browser and wait for it to be mended")
    .option("--no-failure-page", "end with 78 instead, also at a terminal")
    .action(async ({ config, failurePage }: { config?: string; failurePage?: boolean }) => {
      const daemon = await shell.context.daemon();
      shell.exitCode = await daemon.runGateway({ configPath: config ?? null, env: shell.context.env, failurePage });
    });
}
