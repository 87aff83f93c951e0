/**
 * Entry of the `tidegate` command; `bin/tidegate.js` calls it and connects it with the daemon's wiring in main.ts,
 * so that this room stays below it. Edge room `cli`.
 */
import type { Daemon } from "./context.js";
import { runCli } from "./program.js";
import { systemContext } from "./system-context.js";

/**
 * Run this process's command line and end it with its exit code, also when something was left open: a gateway that
 * failed must not stay as a process that does nothing.
 *
 * @param daemon loads the wiring of the gateway when a verb needs it.
 */
export async function main(daemon: () => Promise<Daemon>): Promise<void> {
  // `tidegate … | head` closes our stdout: that is no failure worth a stack trace.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  const exitCode = await runCli(process.argv.slice(2), systemContext(daemon));
  // Everything written before this empty text has left us when its callback runs.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));
}
