/**
 * What can still be read out of a configuration that is refused: where the dashboard was to listen, and where the data
 * is. Never an error; a guess is all that is asked for. Edge room `config`.
 */
import { dirname, resolve } from "node:path";
import { parseDocument } from "yaml";
import { type Listen, parseListen } from "./addresses.js";
import type { Environment } from "./env-overrides.js";
import { type ConfigIo, defaultDataDir, findConfigFile } from "./locations.js";
import { valueAt } from "./problems.js";
import { FILE_BYTES_MAX } from "./yaml-source.js";

/** Guesses, each as good as the file allows. */
export interface ConfigHints {
  /** The file that counts; null when there is none, or it cannot be read. */
  readonly file: string | null;
  /** Its text, to see whether it was changed. */
  readonly text: string;
  /** `admin.listen`; null when it cannot be read. */
  readonly adminListen: Listen | null;
  /** Absolute. */
  readonly dataDir: string;
}

/** Look at the configuration as it stands. */
export function configHints(io: ConfigIo, options: { configPath: string | null; env: Environment }): ConfigHints {
  const { env, configPath } = options;
  let found: { readonly path: string; readonly text: string } | null = null;
  try {
    found = findConfigFile(io, env, configPath);
  } catch {
    // The file is named and not there, or may not be read: there is nothing to guess from.
  }
  const text = found?.text ?? "";
  const listen = env["TIDEGATE_ADMIN__LISTEN"] ?? textAt(text, ["admin", "listen"]);
  const dataDir = textAt(text, ["gateway", "dataDir"]);
  return {
    file: found?.path ?? null,
    text,
    adminListen: listen === null ? null : parseListen(listen),
    dataDir:
      found === null || dataDir === null
        ? defaultDataDir(io, env, found?.path ?? null)
        : resolve(dirname(found.path), dataDir),
  };
}

/** A text of the file, however broken the rest of it is. */
function textAt(text: string, path: readonly string[]): string | null {
  if (text.length > FILE_BYTES_MAX) return null;
  try {
    const value = valueAt(parseDocument(text, { logLevel: "silent" }).toJS({ maxAliasCount: 0 }), path);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
