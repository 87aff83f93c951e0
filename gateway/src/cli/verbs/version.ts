/** `tidegate version`: what runs here, for bug reports. */
import type { Command } from "commander";
import { type JsonOption, jsonOption, type Shell } from "../shell.js";
import { VERSION } from "../version.js";

/** Adds `version` and `--version` to the program. */
export function addVersion(program: Command, shell: Shell): void {
  program.version(`tidegate ${VERSION}`, "-V, --version", "print the version");
  program
    .command("version")
    .description("print the version of Tidegate, Node and the machine")
    .addOption(jsonOption())
    .action((options: JsonOption) => {
      const facts = { tidegate: VERSION, node: process.versions.node, platform: `${process.platform} ${process.arch}` };
      if (options.json === true) shell.json(facts);
      else shell.print(`tidegate ${facts.tidegate} · node ${facts.node} · ${facts.platform}`);
    });
}
