// What the systemd unit puts into the gateway's environment: benchmarks and tests run it as the service does.

import { readFileSync } from "node:fs";
import { inRoot } from "./report.mjs";

/** @returns {Record<string, string>} the variables of `Environment=` in a unit's text, in the order they are written */
export function serviceEnvironment(unit = readFileSync(inRoot("hardware/systemd/tidegate.service"), "utf8")) {
  return Object.fromEntries([...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
}
