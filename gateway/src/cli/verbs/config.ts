/** `tidegate config check | show | schema`: the configuration, without a running gateway. */
import type { Command } from "commander";
import { effectiveSettings, effectiveTree } from "../../config/effective.js";
import { type LoadedConfig, loadConfig } from "../../config/load.js";
import { renderYaml } from "../../config/render-yaml.js";
import { configJsonSchema } from "../../config/schema.js";
import { configVerb, type JsonOption, jsonOption, type Shell } from "../shell.js";

type ConfigOptions = JsonOption & { readonly config?: string };

/** Adds `config check | show | schema` to the program. */
export function addConfig(program: Command, shell: Shell): void {
  const config = program.command("config").description("check, show and describe the configuration");
  configVerb(config, "check", "check the file and the environment")
    .addOption(jsonOption())
    .action((options: ConfigOptions) => {
      const { file } = load(shell, options);
      if (options.json === true) shell.json({ ok: true, file });
      else shell.print(file === null ? "no file; the defaults are in force" : `${file} fits`);
    });
  configVerb(config, "show", "show what is in force and where it comes from")
    .addOption(jsonOption())
    .action((options: ConfigOptions) => {
      const loaded = load(shell, options);
      const effective = effectiveTree(loaded);
      if (options.json === true) shell.json({ file: loaded.file, effective, sources: loaded.sources });
      else shell.print(renderYaml(effective, sourceNotes(loaded)));
    });
  config
    .command("schema")
    .description("print the JSON Schema of the file, for editors")
    .action(() => shell.json(configJsonSchema()));
}

function load(shell: Shell, options: ConfigOptions): LoadedConfig {
  return loadConfig(shell.context.files, { configPath: options.config ?? null, env: shell.context.env });
}

/** Only what somebody wrote gets a note: defaults are the rest. */
function sourceNotes(loaded: LoadedConfig): ReadonlyMap<string, string> {
  const written = effectiveSettings(loaded).filter((setting) => setting.source !== "default");
  return new Map(written.map((setting) => [setting.setting, setting.source]));
}
