/** The first screen: what runs, where to go next. Plain text; a terminal may colour it. */
import { relative } from "node:path";
import type { ReadyFacts } from "./ready-facts.js";

/** What the first screen says beside the gateway's own facts. */
export interface BannerExtras {
  readonly version: string;
  readonly elapsedMs: number;
  /** One-use link that logs a browser in; null when nobody sits at a terminal. */
  readonly loginLink: string | null;
  /** Where it was started: folders below it are shown as seen from there. */
  readonly cwd: string;
}

/** Bytes of a fingerprint that are shown; enough to compare by eye, the whole is in `tidegate status`. */
const FINGERPRINT_SHOWN_CHARS = 23;

/** The lines to print, with a blank line before and after. */
export function banner(facts: ReadyFacts, extras: BannerExtras): string {
  const { caFingerprint } = facts;
  const ca = caFingerprint === null ? "no TLS" : `CA fingerprint ${caFingerprint.slice(0, FINGERPRINT_SHOWN_CHARS)}…`;
  const sinks =
    facts.sinkNames.length === 0
      ? `none configured; telemetry is kept in ${shown(facts.dataDir, extras.cwd)} (add one to tidegate.yaml)`
      : facts.sinkNames.join(", ");
  const dashboard =
    extras.loginLink === null
      ? `${facts.dashboardUrl}   log in with: tidegate admin login`
      : `${extras.loginLink}   open it: live charts, commands, backlog`;
  const lines = [
    `tidegate ${extras.version} · node ${process.versions.node} · sqlite ${facts.sqliteVersion}`,
    `devices    ${facts.devicesUrl}   ${ca}`,
    `dashboard  ${dashboard}`,
    `sinks      ${sinks}`,
    `ready in ${(extras.elapsedMs / 1000).toFixed(1)} s`,
  ];
  return `\n${lines.map((line) => `  ${line}\n`).join("")}\n`;
}

function shown(folder: string, cwd: string): string {
  const below = relative(cwd, folder);
  return below === "" || below.startsWith("..") ? folder : `./${below}`;
}
