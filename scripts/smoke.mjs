// A stranger's first minute, as a check: start, three devices online, stop, nobody left behind.
//
//   node scripts/smoke.mjs          starts scripts/start.mjs itself; expects exit code 0 after SIGTERM
//   node scripts/smoke.mjs --npm    types `npm start`, and ends npm with SIGTERM, as a service manager would
//
// All ports are 0 and all data lies in a folder of its own, so that many can run at once. Exit code 0 or 1.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "./node-version.mjs";
import { formatDuration, lastLines, Report, ROOT } from "./workspace/report.mjs";

/** A fresh clone installs and compiles first, on a slow machine. */
const READY_MS_MAX = 15 * 60_000;
const ONLINE_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
const POLL_MS = 200;
const DEVICES_EXPECTED = 3;
const OUTPUT_CHARS_MAX = 200_000;

const CONFIG = `version: 1
gateway: { id: smoke, dataDir: ./data }
devices: { listen: "127.0.0.1:0" }
admin: { listen: "127.0.0.1:0" }
`;

/** Runs the check; resolves with the exit code. */
export async function main(args) {
  const run = startProduct(args.includes("--npm"));
  try {
    const startedAtMs = Date.now();
    const gateway = await until("the gateway to become ready", READY_MS_MAX, run, () => readGatewayFile(run));
    console.log(`  ready after ${formatDuration(Date.now() - startedAtMs)} at ${gateway.url}`);
    await until(`${DEVICES_EXPECTED} devices online`, ONLINE_MS_MAX, run, () => areOnline(gateway.url, run));
    console.log(`  ${DEVICES_EXPECTED} devices online after ${formatDuration(Date.now() - startedAtMs)}`);
    await stopProduct(run);
    console.log(`  stopped, nobody left behind (Node ${process.version})`);
    return 0;
  } finally {
    for (const pid of relatives(run.id)) process.kill(pid, "SIGKILL");
    rmSync(run.folder, { recursive: true, force: true });
  }
}

function startProduct(throughNpm) {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-smoke-"));
  writeFileSync(join(folder, "tidegate.yaml"), CONFIG);
  const args = ["--config", join(folder, "tidegate.yaml")];
  const [command, first] = throughNpm ? ["npm", ["start", "--"]] : [process.execPath, ["scripts/start.mjs"]];
  const id = randomUUID();
  const child = spawn(command, [...first, ...args], {
    cwd: ROOT,
    env: { ...process.env, TIDEGATE_SMOKE_ID: id },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const run = { id, folder, child, throughNpm, output: "", ended: null };
  const keep = (chunk) => {
    run.output = (run.output + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.once("exit", (code, signal) => {
    run.ended = { code, signal };
  });
  return run;
}

/** Asks until the answer is neither null nor false; fails early when the product ended. */
async function until(what, waitMsMax, run, ask) {
  const deadlineMs = Date.now() + waitMsMax;
  while (Date.now() < deadlineMs) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    if (run.ended !== null) throw failure(what, `it ended with ${run.ended.code ?? run.ended.signal}`, run);
    await sleep(POLL_MS);
  }
  throw failure(what, `nothing came of it in ${formatDuration(waitMsMax)}`, run);
}

function failure(what, why, run) {
  return new Report({
    what: `the smoke test waited in vain for ${what}`,
    why,
    action: "read what the product said below",
    details: lastLines(run.output, 60),
  });
}

function readGatewayFile(run) {
  try {
    const found = JSON.parse(readFileSync(join(run.folder, "data", "gateway.json"), "utf8"));
    return typeof found.url === "string" ? found : null;
  } catch {
    return null;
  }
}

async function areOnline(url, run) {
  try {
    const token = readFileSync(join(run.folder, "data", "admin.token"), "utf8").trim();
    const response = await fetch(new URL("/api/v1/devices", url), { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) return false;
    const { devices } = await response.json();
    return devices.filter((device) => device.online === true).length >= DEVICES_EXPECTED;
  } catch {
    return false;
  }
}

async function stopProduct(run) {
  run.child.kill("SIGTERM");
  const deadlineMs = Date.now() + STOP_MS_MAX;
  while ((run.ended === null || relatives(run.id).length > 0) && Date.now() < deadlineMs) await sleep(POLL_MS);
  const left = relatives(run.id);
  if (left.length > 0) throw failure("everybody to leave after SIGTERM", `still running: ${left.join(", ")}`, run);
  if (!run.throughNpm && run.ended?.code !== 0) {
    throw failure("exit code 0 after SIGTERM", `it was ${run.ended?.code ?? run.ended?.signal}`, run);
  }
}

/** Every process that inherited our mark, told from its environment. */
function relatives(id) {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "utf8").includes(`TIDEGATE_SMOKE_ID=${id}`);
    } catch {
      return false;
    }
  });
}

launch(async () => ({ main }));
