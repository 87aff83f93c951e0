/** `tidegate completion bash | zsh | fish`: words for the shell, made from the commands themselves. */
import { Argument, type Command } from "commander";
import type { Shell } from "../shell.js";

/** Adds `completion` to the program; it walks the finished tree when it runs. */
export function addCompletion(program: Command, shell: Shell): void {
  program
    .command("completion")
    .description("print a completion script for your shell")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .action((name: string) => {
      const words = wordsOf(program);
      if (name === "fish") shell.print(fishScript(words));
      else
        shell.print(
          name === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bashScript(words)}` : bashScript(words),
        );
    });
}

/** Words that may follow a path of verbs: `""` → verbs, `device` → add, ls …, `device ls` → options. */
type Words = ReadonlyMap<string, readonly string[]>;

function wordsOf(program: Command): Words {
  const words = new Map<string, string[]>();
  const walk = (command: Command, path: string): void => {
    const verbs = command.commands.map((child) => child.name());
    const options = command.options.map((option) => option.long ?? option.short ?? "");
    words.set(
      path,
      [...verbs, ...options].filter((word) => word !== ""),
    );
    for (const child of command.commands) walk(child, `${path} ${child.name()}`.trim());
  };
  walk(program, "");
  return words;
}

function bashScript(words: Words): string {
  const cases = [...words].map(([path, next]) => `    "${path}") words="${next.join(" ")}" ;;`).join("\n");
  return `# tidegate completion: source this file, or put it into /etc/bash_completion.d
_tidegate() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _tidegate tidegate
`;
}

function fishScript(words: Words): string {
  const lines = [...words].flatMap(([path, next]) => {
    const verbs = next.filter((word) => !word.startsWith("-")).join(" ");
    if (verbs === "") return [];
    const condition =
      path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1) ?? ""}`;
    return [`complete -c tidegate -n '${condition}' -a '${verbs}'`];
  });
  return `# tidegate completion: put this into ~/.config/fish/completions/tidegate.fish\n${lines.join("\n")}\n`;
}
