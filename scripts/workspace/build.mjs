// The build: every package with `tsc -b` (incremental), then the bundles of gateway and dashboard where they changed.
// Says nothing when nothing had to be built.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { bundleGateway } from "./bundle.mjs";
import { exclusively } from "./exclusive.mjs";
import { startProgress } from "./progress.mjs";
import { formatDuration, inRoot, Report, ROOT } from "./report.mjs";
import { runStep } from "./run-step.mjs";
import { announceWait, ensureSetup, lockFile } from "./setup.mjs";

/** TypeScript's own program; called by path so that no `npx` start-up is paid. */
export const TSC = join("node_modules", "typescript", "bin", "tsc");

const PACKAGES = ["proto", "device-sdk/ts", "gateway", "firmware-sim", "firmware-sim/world"];
const DASHBOARD = "gateway/web";
/** Lies in the output folder, so that removing the output also forgets that it was built. */
const DASHBOARD_STAMP = "gateway/dist/.dashboard-stamp";

/** `npm run build`. */
export async function main() {
  await ensureSetup();
  await ensureBuilt();
  return 0;
}

/**
 * Builds what is out of date.
 * @throws Report with the compiler's output when something does not compile
 */
export async function ensureBuilt() {
  await exclusively(lockFile(ROOT), build, { onWait: announceWait });
}

async function build() {
  const startedAtMs = Date.now();
  let phase = "compiling";
  const progress = startQuietProgress(() => phase);
  let hasBuilt = false;
  try {
    hasBuilt = await compile();
    phase = "bundling the gateway";
    hasBuilt = (await bundleGateway()) || hasBuilt;
    phase = "bundling the dashboard";
    hasBuilt = (await bundleDashboard()) || hasBuilt;
  } finally {
    progress.stop();
  }
  if (hasBuilt) console.error(`  build: done in ${formatDuration(Date.now() - startedAtMs)}`);
}

/** Progress that stays silent when the build turns out to be a no-op, which takes well under a second. */
function startQuietProgress(phase) {
  let progress = null;
  const timer = setTimeout(() => {
    progress = startProgress("build", phase);
  }, 1_000);
  return {
    stop() {
      clearTimeout(timer);
      progress?.stop();
    },
  };
}

async function compile() {
  const before = buildInfoTimes();
  const { exitCode, output } = await runStep(process.execPath, [TSC, "-b", "--pretty", "false"]);
  if (exitCode !== 0) {
    throw new Report({
      what: "the sources do not compile",
      why: output.split("\n").find((line) => line.includes("error")) ?? `tsc ended with ${exitCode}`,
      action: "mend the errors below and run this again",
      details: output,
    });
  }
  return buildInfoTimes() !== before;
}

function buildInfoTimes() {
  return PACKAGES.map((name) => {
    const file = inRoot(name, "dist", ".tsbuildinfo");
    return existsSync(file) ? statSync(file).mtimeMs : 0;
  }).join();
}

async function bundleDashboard() {
  const script = inRoot(DASHBOARD, "build.mjs");
  if (!existsSync(script)) return false;
  const stampFile = inRoot(DASHBOARD_STAMP);
  const stamp = dashboardHash();
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return false;
  const { exitCode, output } = await runStep(process.execPath, [script]);
  if (exitCode !== 0) {
    throw new Report({
      what: "the dashboard could not be bundled",
      why: output.split("\n").find((line) => /error/i.test(line)) ?? `its build ended with ${exitCode}`,
      action: "mend the errors below and run this again",
      details: output,
    });
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
  return true;
}

/** Everything the bundle is made from: the dashboard's files and the versions of what it bundles. */
function dashboardHash() {
  const hash = createHash("sha256").update(readFileSync(inRoot("package-lock.json")));
  for (const file of filesBelow(inRoot(DASHBOARD)).sort()) {
    hash.update(relative(ROOT, file)).update("\0").update(readFileSync(file));
  }
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules" || entry.name === "dist") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
