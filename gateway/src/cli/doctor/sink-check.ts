/** One sink: can its broker be reached, and does it let the gateway in? Edge room `cli`, pure. */
import { grouped } from "../quantities.js";
import { type Check, fail, ok, warn } from "./check.js";
import type { SinkFacts, SinkReport } from "./facts.js";

/**
 * The running gateway knows best: it holds the connection and was told why not, down to the CONNACK reason. Without
 * its word, what the doctor tried itself counts.
 *
 * @param isRunning a gateway answered for its sinks.
 */
export function sinkCheck(facts: SinkFacts, isRunning: boolean): Check {
  const name = `sink ${facts.name}`;
  const { target, report, trouble } = facts;
  if (report !== null) {
    const told = reportCheck(name, target, report);
    if (told !== null) return told;
  }
  if (trouble !== null) return fail(name, trouble.why, trouble.fix);
  const [address = ""] = facts.addresses;
  const resolved = address === "" || target.includes(address) ? "" : ` (${address})`;
  const reached = `${target}${resolved} answers${facts.secure ? " with a trusted certificate" : ""}`;
  if (report === null && isRunning) {
    return warn(
      name,
      `${reached}, but the running gateway has no such sink`,
      "restart the gateway: it reads the file then",
    );
  }
  if (report !== null)
    return warn(name, `${reached}; the gateway is ${report.state}`, "see `tidegate sink ls` in a moment");
  return ok(
    name,
    `${reached}; whether it lets the gateway in shows when one runs: \`tidegate sink test ${facts.name}\``,
  );
}

/** Null when the report says nothing final: it connects right now. */
function reportCheck(name: string, target: string, report: SinkReport): Check | null {
  const { state, lastError, protocol } = report;
  const waiting = report.waitingCount === 0 ? "" : `, ${grouped(report.waitingCount)} waiting`;
  if (state === "up") return ok(name, `connected to ${target}${protocol === null ? "" : ` by ${protocol}`}${waiting}`);
  if (state === "paused") {
    return warn(name, `paused by somebody${waiting}`, `go on with \`tidegate ${name.replace(" ", " resume ")}\``);
  }
  return lastError === null ? null : fail(name, `${lastError.why}${waiting}`, lastError.fix);
}
