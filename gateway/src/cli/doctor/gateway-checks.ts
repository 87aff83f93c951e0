/** The configuration, the ports, and the gateway that may be running. Edge room `cli`, pure. */
import { formatListen, isLoopback } from "../../config/addresses.js";
import { type Check, fail, ok, skipped, warn } from "./check.js";
import type { GatewayFileFacts, HealthFacts, PortFacts, TokenFacts } from "./facts.js";

/** How loading went. */
export type ConfigOutcome =
  | { readonly file: string | null; readonly error: null }
  | { readonly error: { readonly lines: readonly [string, string, string] } };

/** Every problem on a line of its own, with its place in the file. */
export function configurationCheck(outcome: ConfigOutcome): Check {
  const name = "configuration";
  if (outcome.error !== null) return fail(name, outcome.error.lines[1], outcome.error.lines[2]);
  return ok(name, outcome.file === null ? "no file; the defaults are in force" : `${outcome.file} fits`);
}

/** A listener as the check of its port needs it. */
export interface PortUse {
  /** `device port` or `dashboard port`. */
  readonly name: string;
  /** The setting that names the port. */
  readonly setting: string;
  /** The port the running gateway says it has here; null without one. */
  readonly ownPort: number | null;
}

/** Is the port free, or held by our own gateway? */
export function portCheck(facts: PortFacts, { name, setting, ownPort }: PortUse): Check {
  const { host, port, errno } = facts;
  const at = formatListen(facts);
  if (ownPort !== null) return ownPortCheck(facts, { name, setting, ownPort });
  if (port === 0) return errno === null ? ok(name, `${at}: any free port`) : cannotListen(name, setting, facts);
  if (errno === null) return ok(name, `${at} is free`);
  if (errno !== "EADDRINUSE") return cannotListen(name, setting, facts);
  const reach = isLoopback(host) ? " on this machine" : "";
  const fix = `find what it is: sudo ss -ltnp 'sport = :${port}', and stop it, or set ${setting} to another port`;
  return fail(name, `something else listens on ${at}${reach}, and it is not the gateway of this data folder`, fix);
}

function ownPortCheck(facts: PortFacts, { name, setting, ownPort }: PortUse & { readonly ownPort: number }): Check {
  const { port, errno } = facts;
  const at = formatListen({ host: facts.host, port: ownPort });
  if (port !== 0 && port !== ownPort) {
    const detail = `the running gateway listens on port ${ownPort}, and ${setting} says ${port}`;
    return warn(name, detail, "restart the gateway: it reads the file when it starts");
  }
  if (errno === null && port !== 0) {
    return fail(name, `the running gateway should listen on ${at}, and nothing does`, "restart the gateway");
  }
  return ok(name, `${at} is held by our own gateway`);
}

function cannotListen(name: string, setting: string, { host, port, errno }: PortFacts): Check {
  const at = formatListen({ host, port });
  if (errno === "EACCES" || errno === "EPERM") {
    const fix = `set ${setting} to a port from 1024 up; those below are the system's`;
    return fail(name, `this user may not listen on ${at}`, fix);
  }
  if (errno === "EADDRNOTAVAIL" || errno === "ENOTFOUND" || errno === "EAI_AGAIN") {
    const fix = `set ${setting} to an address of this machine (\`ip -br address\`), or to 0.0.0.0 for all of them`;
    return fail(name, `${host} is no address of this machine`, fix);
  }
  return fail(name, `${at} cannot be opened (${errno ?? "no reason given"})`, `check ${setting}`);
}

/** Is a gateway running on the data folder, and is it well? `health` null: it was not asked. */
export function runningCheck(file: GatewayFileFacts, health: HealthFacts | null): Check {
  const name = "gateway";
  switch (file.state) {
    case "absent":
      return skipped(name, "none runs on this data folder", "start it with `tidegate run`");
    case "denied":
      return skipped(name, `${file.path} may not be read by this user`, "run `tidegate doctor` with sudo");
    case "damaged":
      return fail(name, `${file.path} is damaged`, "restart the gateway: it writes the file when it is ready");
    case "stale":
      return warn(
        name,
        `it ended without stopping in order: ${file.path} names process ${file.pid}, which is gone`,
        "start it with `tidegate run`, or see why it ended: journalctl -u tidegate",
      );
    case "running":
      return healthCheck(name, `process ${file.pid} at ${file.url}`, health);
  }
}

function healthCheck(name: string, which: string, health: HealthFacts | null): Check {
  if (health === null) return skipped(name, `${which} was not asked`);
  if (health.status === 200) return ok(name, `${which} is well`);
  if (health.status === 503) {
    return fail(name, `${which} answers and is not well`, "see `tidegate status`, and the log of the gateway");
  }
  const said = health.status === null ? `does not answer: ${health.error ?? "no reason"}` : `answers ${health.status}`;
  return fail(name, `${which} ${said}`, "see the log of the gateway, then restart it");
}

/** Can this user speak to the API? */
export function tokenCheck({ path, state, othersMayRead }: TokenFacts, isRunning: boolean): Check {
  const name = "admin token";
  if (state === "denied") {
    const fix = 'run `sudo usermod -aG tidegate "$USER"` and log in again, or use sudo';
    return fail(name, `${path} belongs to the gateway's user`, fix);
  }
  if (state === "empty") {
    return fail(name, `${path} is empty, so nobody may use the API`, `delete it to have a new one made: rm ${path}`);
  }
  if (state === "absent") {
    if (!isRunning) return skipped(name, "made at the first start");
    return fail(name, `${path} is missing`, "restart the gateway: it makes a new one when the file is missing");
  }
  if (othersMayRead) return warn(name, `everybody on this machine may read ${path}`, `run \`chmod o-rwx ${path}\``);
  return ok(name, `${path} can be read`);
}
