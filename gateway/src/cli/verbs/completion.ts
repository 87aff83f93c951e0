/**
 * `tidegate completion bash | zsh | fish`: words for the shell, made from the commands themselves.
 *
 *   verbs, options   in the script          ids of devices, names of sinks   asked of the running gateway, when it is
 *                                                                             there: `tidegate complete devices`
 */
import { Argument, type Command } from "commander";
import * as z from "zod";
import type { Shell } from "../shell.js";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** What a verb's first argument names, when it names something a gateway knows. */
const ASKED = ["devices", "sinks"] as const;
type Asked = (typeof ASKED)[number];

const names = z.looseObject({
  devices: z.array(z.looseObject({ id: z.string() })).optional(),
  sinks: z.array(z.looseObject({ name: z.string() })).optional(),
});

/** Ids and names a shell can take as they are; others could be read as something else. */
const HARMLESS = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** Adds `completion` to the program; it walks the finished tree when it runs. */
export function addCompletion(program: Command, shell: Shell): void {
  program
    .command("completion")
    .description("print a completion script for your shell")
    .addArgument(new Argument("<shell>").choices([...SHELLS]))
    .action((name: string) => {
      const places = placesOf(program);
      if (name === "fish") shell.print(fishScript(places));
      else shell.print(name === "zsh" ? zshScript(places) : bashScript(places));
    });
  program
    .command("complete", { hidden: true })
    .addArgument(new Argument("<what>").choices([...ASKED]))
    .action((what: Asked) => printNames(shell, what));
}

/** Names of a running gateway, one a line; nothing when there is none: a shell has no use for an error. */
async function printNames(shell: Shell, what: Asked): Promise<void> {
  try {
    const answer = await shell.client({}).call("GET", `/api/v1/${what}`, names);
    const found = [...(answer.devices ?? []).map(({ id }) => id), ...(answer.sinks ?? []).map(({ name }) => name)];
    for (const name of found) if (HARMLESS.test(name)) shell.print(name);
  } catch {
    // Nothing is known: the shell completes nothing.
  }
}

/** What may follow a path of verbs: `""` → verbs, `device` → add, ls …, `device show` → options and devices. */
interface Place {
  readonly path: string;
  readonly verbs: readonly string[];
  readonly options: readonly string[];
  readonly asked: Asked | null;
}

function placesOf(program: Command): Place[] {
  const places: Place[] = [];
  const walk = (command: Command, path: string): void => {
    // Also `help`, which commander adds by itself, and which nobody completes.
    const shown = command
      .createHelp()
      .visibleCommands(command)
      .filter((child) => command.commands.includes(child));
    const options = command.options.map((option) => option.long ?? option.short ?? "").filter((word) => word !== "");
    places.push({ path, verbs: shown.map((child) => child.name()), options, asked: askedOf(command, path) });
    for (const child of shown) walk(child, `${path} ${child.name()}`.trim());
  };
  walk(program, "");
  return places;
}

function askedOf(command: Command, path: string): Asked | null {
  const [group, verb] = path.split(" ");
  if (command.registeredArguments.length === 0) return null;
  if (group === "send" || (group === "device" && verb !== "add")) return "devices";
  return group === "sink" ? "sinks" : null;
}

function bashScript(places: readonly Place[]): string {
  const cases = places
    .map(({ path, verbs, options, asked }) => {
      const dynamic = asked === null ? "" : ` asked=${asked}`;
      return `    "${path}") words="${[...verbs, ...options].join(" ")}"${dynamic} ;;`;
    })
    .join("\n");
  return `# tidegate completion: source this file, or put it into /etc/bash_completion.d
_tidegate() {
  local path="" word words="" asked=""
  local current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  case "$current" in
    -*) ;;
    *) [ -z "$asked" ] || words="$words $("\${COMP_WORDS[0]}" complete "$asked" 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _tidegate tidegate
`;
}

function zshScript(places: readonly Place[]): string {
  return `#compdef tidegate\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(places)}`;
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ path, verbs, asked }) => {
    const [group = "", verb = ""] = path.split(" ");
    const at =
      path === ""
        ? "__fish_use_subcommand"
        : `__fish_seen_subcommand_from ${group}${verb === "" ? "" : `; and __fish_seen_subcommand_from ${verb}`}`;
    const words = verbs.join(" ");
    return [
      ...(words === "" ? [] : [`complete -c tidegate -f -n '${at}' -a '${words}'`]),
      ...(asked === null ? [] : [`complete -c tidegate -f -n '${at}' -a '(tidegate complete ${asked} 2>/dev/null)'`]),
    ];
  });
  return `# tidegate completion: put this into ~/.config/fish/completions/tidegate.fish\n${lines.join("\n")}\n`;
}
