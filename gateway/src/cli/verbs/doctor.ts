/** `tidegate doctor`: looks at everything a gateway on this machine needs, and says what to do about what is wrong. */
import type { Command } from "commander";
import { examine } from "../doctor/examine.js";
import { allWell, report } from "../doctor/report.js";
import { systemProbes } from "../doctor/system-probes.js";
import { configVerb, type JsonOption, jsonOption, type Shell } from "../shell.js";

type DoctorOptions = JsonOption & { readonly config?: string; readonly dataDir?: string };

/** Adds `doctor` to the program; it ends with 1 when a check failed. It changes nothing. */
export function addDoctor(program: Command, shell: Shell): void {
  configVerb(program, "doctor", "find out what is wrong here and how to mend it")
    .option("--data-dir <folder>", "data folder to look at instead of the configured one")
    .addOption(jsonOption())
    .action(async (options: DoctorOptions) => {
      const checks = await examine(shell.context, options, systemProbes(shell.context));
      if (options.json === true) shell.json(checks);
      else shell.print(report(checks, shell.paint));
      if (!allWell(checks)) shell.exitCode = 1;
    });
}
