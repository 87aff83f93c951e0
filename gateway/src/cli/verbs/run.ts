/** `tidegate run`: the gateway itself, in the foreground. */
import type { Command } from "commander";
import { configVerb, type Shell } from "../shell.js";

export function addRun(program: Command, shell: Shell): void {
  configVerb(program, "run", "run the gateway in the foreground").action(async (options: { config?: string }) => {
    const { context } = shell;
    const daemon = await context.daemon();
    const env = context.env;
    shell.exitCode = await daemon.runGateway(
      options.config === undefined ? { env } : { env, configPath: options.config },
    );
  });
}
