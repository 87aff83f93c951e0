/** Node, the database module and the clock. Edge room `cli`, pure. */
import { type Check, fail, ok, warn } from "./check.js";
import type { ClockFacts, NodeFacts } from "./facts.js";

/** Oldest Node that runs Tidegate. */
const NODE_MIN = [20, 19] as const;

/** The program is younger than this: a clock before it is wrong. */
const CLOCK_UNIX_MS_MIN = Date.UTC(2025, 0, 1);

/** Certificates and stamps of devices end far before this. */
const CLOCK_UNIX_MS_MAX = Date.UTC(2100, 0, 1);

/** Is this Node new enough? (`bin/tidegate.js` stops an older one before it gets here.) */
export function nodeCheck({ version, abi, machine }: NodeFacts): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1]);
  const detail = `Node ${version} · ABI ${abi} · ${machine}`;
  if (isOld) return fail("node", `${detail}, and Tidegate needs ${NODE_MIN.join(".")}`, "install Node 22 or 24");
  if (/\b(arm|ia32)$/.test(machine)) {
    const fix = "install a 64-bit system: the database module has no tested build for 32 bits";
    return warn("node", `${detail}: a 32-bit system`, fix);
  }
  return ok("node", detail);
}

/** Did a database open with WAL and fsync in a scratch folder? `error` null: it did. */
export function databaseCheck(error: string | null, { version, abi }: NodeFacts): Check {
  const name = "database";
  if (error === null) return ok(name, "better-sqlite3 loads, and a scratch database opened with fsync on commit");
  const line = error.split("\n")[0] ?? "";
  if (/NODE_MODULE_VERSION|ERR_DLOPEN_FAILED/.test(error)) {
    const detail = `better-sqlite3 was built for another Node than this ${version} (ABI ${abi})`;
    return fail(name, detail, "run `npm rebuild better-sqlite3` in the installation, with this Node");
  }
  if (/bindings file|ERR_MODULE_NOT_FOUND|Cannot find (module|package)/.test(error)) {
    const fix =
      "run `npm rebuild better-sqlite3 --foreground-scripts`; npm leaves the build out when scripts are not allowed";
    return fail(name, `the native part of better-sqlite3 is missing: ${line}`, fix);
  }
  return fail(name, `a scratch database cannot be opened: ${line}`, "check that TMPDIR can be written, and its space");
}

/** Is the time sane, and will it stay so? */
export function clockCheck({ unixMs, isSynchronised, hasRtc }: ClockFacts): Check {
  const name = "clock";
  const now = new Date(unixMs).toISOString().replace(/\.\d+Z$/, "Z");
  const rtc =
    hasRtc === false ? "; no battery-backed clock: after a power cut the time is wrong until NTP answers" : "";
  if (unixMs < CLOCK_UNIX_MS_MIN || unixMs > CLOCK_UNIX_MS_MAX) {
    const fix = "turn NTP on with `sudo timedatectl set-ntp true`, and check the network: TLS and stamps need the time";
    return fail(name, `it is ${now} here, which cannot be${rtc}`, fix);
  }
  if (isSynchronised === true) return ok(name, `${now}, kept by NTP${rtc}`);
  if (isSynchronised === false) {
    const fix = "turn NTP on with `sudo timedatectl set-ntp true`; in a container the host's clock counts";
    return warn(name, `${now}, and NTP does not keep it${rtc}`, fix);
  }
  return ok(name, `${now}; whether NTP keeps it is not known here${rtc}`);
}
