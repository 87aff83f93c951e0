/** `tidegate init`: a first configuration file with the settings most people touch. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { errnoOf } from "../../config/locations.js";
import { GatewayError } from "../../core/errors.js";
import type { Shell } from "../shell.js";

/** What is written; everything in it is a default or commented out. */
export const FIRST_CONFIG = `# Configuration of a Tidegate gateway. Every setting is in docs/configuration.md.
# Check it with \`tidegate config check\`; see what is in force with \`tidegate config show\`.
version: 1

# The id is part of every topic and record id: choose it before you add a sink.
# gateway: { id: attic-pi, dataDir: ./data }

# devices: { listen: "0.0.0.0:8443" }

# The dashboard leaves this machine only with a password: \`tidegate admin password\`.
# admin: { listen: "127.0.0.1:8080" }

# sinks:
#   - { name: broker, type: mqtt, url: "mqtts://broker.lan:8883", username: tidegate, passwordFile: mqtt.pass }
`;

/** Adds `init` to the program. */
export function addInit(program: Command, shell: Shell): void {
  program
    .command("init")
    .description("write a first tidegate.yaml")
    .argument("[file]", "where to write it", "tidegate.yaml")
    .action((file: string) => {
      const path = resolve(shell.context.files.cwd, file);
      try {
        shell.context.createFile(path, FIRST_CONFIG);
      } catch (error) {
        if (errnoOf(error) !== "EEXIST") {
          const why = error instanceof Error ? error.message : String(error);
          const fix = "name a file in a folder you may write to";
          throw new GatewayError("E_FORBIDDEN", `${path} cannot be written: ${why}`, { fix });
        }
        throw new GatewayError("E_FORBIDDEN", `${path} is there already and is not overwritten`, {
          fix: "edit it, or name another file",
        });
      }
      shell.print(`wrote ${path}\nnext: \`tidegate run\`, then \`tidegate device add my-device\``);
    });
}
