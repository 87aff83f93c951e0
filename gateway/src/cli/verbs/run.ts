/** `tidegate run`: the gateway itself, in the foreground. */
import type { Command } from "commander";
import { configVerb, type Shell } from "../shell.js";

/** Adds `run` to the program; it ends with the exit code of the gateway. */
export function addRun(program: Command, shell: Shell): void {
  configVerb(program, "run", "run the gateway in the foreground").action(async (options: { config?: string }) => {
    const daemon = await shell.context.daemon();
    shell.exitCode = await daemon.runGateway({ configPath: options.config ?? null, env: shell.context.env });
  });
}
