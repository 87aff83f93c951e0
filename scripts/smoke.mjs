// A stranger's first minute, as a check: start, three devices online, stop, nobody left behind.
//
//   node scripts/smoke.mjs          starts scripts/start.mjs itself; expects exit code 0 after SIGTERM
//   node scripts/smoke.mjs --npm    types `npm start`, and ends npm with SIGTERM, as a service manager would
//
// All ports are 0 and all data lies in a folder of its own, so that many can run at once. Exit code 0 or 1.

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { launch } from "./node-version.mjs";
import { formatDuration, ROOT } from "./workspace/report.mjs";
import { Trial } from "./workspace/trial.mjs";

/** A fresh clone installs and compiles first, on a slow machine. */
const READY_MS_MAX = 15 * 60_000;
const ONLINE_MS_MAX = 60_000;
const DEVICES_EXPECTED = 3;

/** Runs the check; resolves with the exit code. */
export async function main(args) {
  const throughNpm = args.includes("--npm");
  const trial = new Trial();
  try {
    const startedAtMs = Date.now();
    startProduct(trial, throughNpm);
    const gateway = await trial.until("the gateway to become ready", READY_MS_MAX, () => readGatewayFile(trial));
    console.log(`  ready after ${formatDuration(Date.now() - startedAtMs)} at ${gateway.url}`);
    await trial.until(`${DEVICES_EXPECTED} devices online`, ONLINE_MS_MAX, () => areOnline(gateway.url, trial));
    console.log(`  ${DEVICES_EXPECTED} devices online after ${formatDuration(Date.now() - startedAtMs)}`);
    trial.child.kill("SIGTERM");
    await trial.leave();
    if (!throughNpm && trial.ended.code !== 0) {
      throw trial.failure("exit code 0 after SIGTERM", `it was ${trial.ended.code ?? trial.ended.signal}`);
    }
    console.log(`  stopped, nobody left behind (Node ${process.version})`);
    return 0;
  } finally {
    trial.remove();
  }
}

function startProduct(trial, throughNpm) {
  const args = ["--config", trial.configFile];
  const [command, first] = throughNpm ? ["npm", ["start", "--"]] : [process.execPath, ["scripts/start.mjs"]];
  trial.watch(spawn(command, [...first, ...args], { cwd: ROOT, env: trial.env, stdio: ["ignore", "pipe", "pipe"] }));
}

function readGatewayFile(trial) {
  try {
    const found = JSON.parse(readFileSync(join(trial.folder, "data", "gateway.json"), "utf8"));
    return typeof found.url === "string" ? found : null;
  } catch {
    return null;
  }
}

async function areOnline(url, trial) {
  try {
    const token = readFileSync(join(trial.folder, "data", "admin.token"), "utf8").trim();
    const response = await fetch(new URL("/api/v1/devices", url), { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) return false;
    const { devices } = await response.json();
    return devices.filter((device) => device.online === true).length >= DEVICES_EXPECTED;
  } catch {
    return false;
  }
}

launch(async () => ({ main }));
