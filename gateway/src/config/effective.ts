/** `config show`: the configuration in force as it would be written, and where each value is from. Edge `config`. */
import * as z from "zod";
import type { LoadedConfig } from "./load.js";
import { isMapping, type SettingPath, settingName } from "./problems.js";
import { configSchema } from "./schema.js";

/** One setting in force. */
export interface EffectiveSetting {
  /** `devices.keepalive`. */
  readonly setting: string;
  /** As it would be written. */
  readonly value: unknown;
  /** `default`, `tidegate.yaml:4:3` or a variable. */
  readonly source: string;
}

/** The whole tree as it would be written in the file, with the machine's own values filled in. Holds no secret. */
export function effectiveTree(loaded: LoadedConfig): Record<string, unknown> {
  const written: unknown = z.encode(configSchema, structuredClone(loaded.tree));
  const tree = isMapping(written) ? written : {};
  return { ...tree, gateway: { id: loaded.config.gateway.id, dataDir: loaded.config.gateway.dataDir } };
}

/** The same, one line per setting. */
export function effectiveSettings(loaded: LoadedConfig): EffectiveSetting[] {
  const settings: EffectiveSetting[] = [];
  const walk = (value: unknown, path: SettingPath): void => {
    if (Array.isArray(value) && value.length > 0) {
      for (const [index, item] of value.entries()) walk(item, [...path, index]);
    } else if (isMapping(value)) {
      for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    } else {
      const setting = settingName(path);
      settings.push({ setting, value, source: loaded.sources[setting] ?? "default" });
    }
  };
  walk(effectiveTree(loaded), []);
  return settings;
}
