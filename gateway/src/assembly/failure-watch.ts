/**
 * A gateway whose configuration is refused, while somebody is there to mend it: it serves the failure page and tries
 * again when the file was changed.
 *
 *   refused ─▶ page on the dashboard's port ─┬─ the file changed, and loads ─▶ "mended": start as usual
 *                                            ├─ another mistake ─▶ the page says that one
 *                                            └─ told to stop ─▶ "stopped": exit code 78
 *
 * Some refusals are not about the file (a certificate, a password that is not set): those are tried again by time, too.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FailureServer } from "../admin/failure-server.js";
import { type FailureView, withoutValues } from "../admin/failure-view.js";
import { configHints } from "../config/hints.js";
import { type LoadOptions, loadConfig } from "../config/load.js";
import type { ConfigIo } from "../config/locations.js";
import { ConfigError } from "../config/problems.js";
import type { Clock } from "../core/clock.js";
import { asGatewayError, type GatewayError } from "../core/errors.js";

/** Between two looks at the file. */
const LOOK_MS = 1_000;
/** A refusal that is not about the file is tried again so often. */
const RETRY_MS = 10_000;
const PORT_DEFAULT = 8080;
const PORT_FILE = "dashboard.port";

/** What a watch over a refused configuration needs of the process. */
export interface FailureWatchParts {
  readonly io: ConfigIo;
  readonly options: LoadOptions;
  readonly clock: Clock;
  readonly webDir: string;
  /** Prints a line for people. */
  readonly say: (text: string) => void;
  /** Resolves when the process is told to stop. */
  readonly stopped: Promise<void>;
}

/** Serve the page until the configuration loads, or until told to stop. */
export async function watchFailure(error: GatewayError, parts: FailureWatchParts): Promise<"mended" | "stopped"> {
  const { io, options, clock } = parts;
  const { text, adminListen, dataDir } = configHints(io, options);
  const server = new FailureServer(parts.webDir, viewOf(error, parts));
  const port = adminListen?.port ?? lastPort(dataDir) ?? PORT_DEFAULT;
  parts.say(`  the same on ${await server.listen(port)} until the configuration is right; Ctrl-C ends it\n\n`);
  let seen = text;
  let triedMonoMs = clock.monoMs();
  try {
    for (;;) {
      if ((await Promise.race([pause(clock), parts.stopped.then(() => "stopped")])) === "stopped") return "stopped";
      const now = configHints(io, options).text;
      const isOfTheFile = error instanceof ConfigError || error.code === "E_CONFIG_UNREADABLE";
      if (now === seen && (isOfTheFile || clock.monoMs() - triedMonoMs < RETRY_MS)) continue;
      seen = now;
      triedMonoMs = clock.monoMs();
      const next = refusal(parts);
      if (next === null) return "mended";
      server.show(viewOf(next, parts));
    }
  } finally {
    await server.close();
  }
}

/** The dashboard was reached there: a later failure page stands on the same port. Not worth a failure. */
export function rememberPort(dataDir: string, port: number): void {
  try {
    if (lastPort(dataDir) !== port) writeFileSync(join(dataDir, PORT_FILE), `${port}\n`, { mode: 0o600 });
  } catch {
    // A full disk has worse to tell.
  }
}

function lastPort(dataDir: string): number | null {
  try {
    const port = Number(readFileSync(join(dataDir, PORT_FILE), "utf8"));
    return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : null;
  } catch {
    return null;
  }
}

function refusal({ io, options }: FailureWatchParts): GatewayError | null {
  try {
    loadConfig(io, options);
    return null;
  } catch (thrown) {
    return asGatewayError(thrown);
  }
}

function viewOf(error: GatewayError, { io, options }: FailureWatchParts): FailureView {
  const problems =
    error instanceof ConfigError
      ? error.problems.map(({ place, setting, message }) => ({
          place,
          message: [setting, withoutValues(message)].filter((part) => part !== "").join(": "),
        }))
      : [{ place: "", message: withoutValues(error.why) }];
  const [what] = error.lines;
  return { what, problems, fix: error.fix, file: configHints(io, options).file };
}

function pause(clock: Clock): Promise<string> {
  return new Promise((resolve) => clock.after(LOOK_MS, () => resolve("again")));
}
