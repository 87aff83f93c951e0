/**
 * Where things are: the configuration file, the data folder. Edge room `config`; files are read through `ConfigIo`.
 *
 *   file       --config, else TIDEGATE_CONFIG, else ./tidegate.yaml, else /etc/tidegate/tidegate.yaml, else none
 *   dataDir    as configured, else $STATE_DIRECTORY, else beside the file (/var/lib/tidegate for one in /etc),
 *              without a file the repository's ./data
 */
import { dirname, join, resolve, sep } from "node:path";
import { GatewayError } from "../core/errors.js";
import type { Environment } from "./env-overrides.js";

/** The file every installation may have. */
export const SYSTEM_CONFIG = "/etc/tidegate/tidegate.yaml";

/** The data folder of a system installation. */
export const SYSTEM_DATA_DIR = "/var/lib/tidegate";

/** What the loader needs of the machine. */
export interface ConfigIo {
  /** The whole file as text. Throws Node's errors (`ENOENT`, `EACCES`, `EISDIR` …). */
  readFile(path: string): string;
  readonly cwd: string;
  readonly hostname: string;
  /** Root of the checkout this program runs from, or null when it was installed as a package. */
  readonly repositoryDir: string | null;
}

/** The configuration file that counts, or null when there is none. An explicitly named one must exist. */
export function findConfigFile(io: ConfigIo, env: Environment, named: string | null): FoundFile | null {
  const fromEnv = env["TIDEGATE_CONFIG"];
  if (named === "" || fromEnv?.trim() === "") {
    const what = named === "" ? "--config" : "TIDEGATE_CONFIG";
    throw new GatewayError("E_CONFIG_UNREADABLE", `${what} is empty`, { fix: "name a file, or leave it out" });
  }
  const wanted = named ?? fromEnv;
  if (wanted !== undefined) {
    const path = resolve(io.cwd, wanted);
    const text = readIfThere(io, path);
    if (text !== null) return { path, text };
    throw new GatewayError("E_CONFIG_UNREADABLE", `${path} does not exist`, {
      fix: "check the path, or write a file with `tidegate init`",
    });
  }
  for (const path of [join(io.cwd, "tidegate.yaml"), SYSTEM_CONFIG]) {
    const text = readIfThere(io, path);
    if (text !== null) return { path, text };
  }
  return null;
}

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/** The text, null when there is no such file. A file that is there and cannot be read is an error, never skipped. */
function readIfThere(io: ConfigIo, path: string): string | null {
  try {
    return io.readFile(path);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    const why = error instanceof Error ? error.message : String(error);
    throw new GatewayError("E_CONFIG_UNREADABLE", `${path}: ${why}`, { cause: error });
  }
}

/** The code of one of Node's system errors; null for other errors. */
export function errnoOf(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}

/** The data folder when none is configured. */
export function defaultDataDir(io: ConfigIo, env: Environment, file: string | null): string {
  // systemd gives a colon-separated list; the first is ours.
  const state = env["STATE_DIRECTORY"]?.split(":")[0];
  if (state !== undefined && state !== "") return resolve(io.cwd, state);
  if (file === null) return join(io.repositoryDir ?? io.cwd, "data");
  return file.startsWith(`${sep}etc${sep}`) ? SYSTEM_DATA_DIR : join(dirname(file), "data");
}

/** A gateway id made of the host name: legal characters only, `gateway` when nothing is left. */
export function gatewayIdFrom(hostname: string): string {
  const id = (hostname.split(".")[0] ?? "")
    .replaceAll(/[^A-Za-z0-9_-]/g, "-")
    .replace(/^[-_]+/, "")
    .slice(0, 63);
  return id === "" ? "gateway" : id;
}
