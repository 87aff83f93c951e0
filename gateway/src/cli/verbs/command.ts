/** `tidegate command ls | show | cancel`: what was asked of devices and what came of it. */
import { type Command, Option } from "commander";
import * as z from "zod";
import { COMMAND_STATES } from "../../model/command.js";
import { type CommandAnswer, commandShape, paintOfState } from "../command-shape.js";
import { inline } from "../plain.js";
import { ago, span } from "../quantities.js";
import { countOption, gatewayVerb, type ReadOptions, readVerb, type Shell } from "../shell.js";

const commands = z.looseObject({ commands: z.array(commandShape) });

interface ListOptions extends ReadOptions {
  readonly device?: string;
  readonly state?: string;
  readonly limit: number;
}

const pathOf = (id: string): string => `/api/v1/commands/${encodeURIComponent(id)}`;

/** Adds `command ls | show | cancel` to the program. */
export function addCommand(program: Command, shell: Shell): void {
  const group = program.command("command").description("see and cancel commands; `tidegate send` makes them");
  readVerb(group, "ls", "list commands, newest first")
    .option("--device <id>", "of one device")
    .addOption(new Option("--state <state>", "in one state").choices(COMMAND_STATES))
    .option("--limit <count>", "how many at most", countOption(1, 1_000), 50)
    .action(async ({ device, state, limit, ...options }: ListOptions) => {
      const answer = await shell
        .client(options)
        .call("GET", "/api/v1/commands", commands, { query: { device, state, limit } });
      if (options.json === true) shell.json(answer);
      else if (answer.commands.length === 0) shell.print("no commands");
      else showList(shell, answer.commands);
    });
  readVerb(group, "show", "show one command")
    .argument("<id>")
    .action(async (id: string, options: ReadOptions) => {
      const found = await shell.client(options).call("GET", pathOf(id), commandShape);
      if (options.json === true) shell.json(found);
      else showOne(shell, found);
    });
  gatewayVerb(group, "cancel", "cancel a command that was not sent yet")
    .argument("<id>")
    .action(async (id: string, options: ReadOptions) => {
      const found = await shell.client(options).call("DELETE", pathOf(id), commandShape);
      shell.print(`${found.commandId} is ${found.state}`);
    });
}

function showList(shell: Shell, list: readonly CommandAnswer[]): void {
  const columns = ["command", "device", "name", "state", "changed", "result"].map((title) => ({ title }));
  const rows = list.map((c) => [
    c.commandId,
    c.device,
    c.name,
    { text: c.state, paint: paintOfState(shell.paint, c.state) },
    ago(c.updatedAt, shell.now()),
    c.error ?? (c.result === null ? "" : inline(c.result)),
  ]);
  shell.table(columns, rows);
}

function showOne(shell: Shell, c: CommandAnswer): void {
  shell.pairs([
    ["command", c.commandId],
    ["device", c.device],
    ["call", `${c.name} ${inline(c.args)}`],
    ["state", `${c.state} · ${ago(c.updatedAt, shell.now())}`],
    ["delivery", `${c.delivery} · sent ${c.transmissions} times · may wait ${span(c.ttlMs)}`],
    ["from", c.source],
    ["result", c.result === null ? "none" : inline(c.result)],
    ["error", c.error ?? "none"],
  ]);
}
