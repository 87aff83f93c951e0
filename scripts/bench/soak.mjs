// A long time of ordinary life: does the gateway's memory grow?
//
//   node scripts/bench/soak.mjs [--devices 1000] [--minutes 60] [--rate 1000] [--dir FOLDER]    needs `npm run build`
//
//   load.c at --rate ══▶ gateway with history and one viewer; every 10 s its resident memory; a line a minute
//
// Ends with the slope of memory over the last two thirds, by least squares. Exit code 1 when it is 1 MB an hour or more
// and there were at least 40 minutes to tell it from the noise of a garbage collector.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Fleet } from "./harness/fleet.mjs";
import { buildLoad, startLoad } from "./harness/load.mjs";
import { cpuSeconds, rssBytes } from "./harness/proc.mjs";
import { endAll, endOnSignals, pause, until } from "./harness/processes.mjs";
import { slopePerHour } from "./slope.mjs";

const SAMPLE_MS = 10_000;
const SETTLED_SHARE = 1 / 3;
const SLOPE_MB_MAX = 1;
const MINUTES_TO_JUDGE = 40;

const text = (value) => ({ type: "string", default: value });
const { values } = parseArgs({
  options: { devices: text("1000"), minutes: text("60"), rate: text("1000"), dir: text(tmpdir()) },
});
const [devices, minutes, rate] = [values.devices, values.minutes, values.rate].map(Number);
if (![devices, minutes, rate].every((value) => value > 0))
  throw new Error("--devices, --minutes and --rate are numbers");

const folder = mkdtempSync(join(values.dir, "tidegate-soak-"));
const memory = existsSync("/dev/shm") ? mkdtempSync("/dev/shm/tidegate-soak-") : folder;
const cleanUp = () => {
  for (const made of [folder, memory]) rmSync(made, { recursive: true, force: true });
};
endOnSignals(cleanUp);
try {
  process.exitCode = await soak();
} finally {
  await endAll();
  cleanUp();
}

async function soak() {
  const place = {
    newFolder: () => mkdtempSync(join(folder, "run-")),
    newFastFolder: () => mkdtempSync(join(memory, "fleet-")),
    profile: null,
  };
  const fleet = await Fleet.make(devices, place);
  return fleet.withGateway({}, async (gateway) => {
    const viewer = startLoad(buildLoad("view"), {
      ...{ port: gateway.adminPort, path: "/api/v1/live", token: gateway.adminToken, conns: 1, seconds: 864_000 },
    });
    await until("the viewer was let in", () => viewer.program.stdout.includes("joined"), { program: viewer.program });
    const load = startLoad(buildLoad(), {
      ...{ mode: "ws", port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile, conns: devices },
      ...{ inflight: 8, payload: 64, rate, seconds: minutes * 60 },
    });
    let isOver = false;
    const complain = (error) => isOver || console.error(error.message);
    const programs = [viewer.program, load.program];
    for (const { answer } of [viewer, load]) answer.catch(complain);
    const samples = await sample(gateway, programs);
    isOver = programs.every(({ isRunning }) => isRunning);
    await Promise.all(programs.map((program) => program.kill()));
    return judge(samples);
  });
}

/** Memory over time, as [hours, MB]. Ends early when one of the programs does. */
async function sample(gateway, programs) {
  const samples = [];
  const from = performance.now();
  while (performance.now() - from < minutes * 60_000 && programs.every(({ isRunning }) => isRunning)) {
    await pause(SAMPLE_MS);
    const hours = (performance.now() - from) / 3_600_000;
    const megabytes = (rssBytes(gateway.pid) ?? 0) / 1e6;
    samples.push([hours, megabytes]);
    if (samples.length % (60_000 / SAMPLE_MS) !== 0) continue;
    const { acked, devices: online, eventLoopDelayMs, disk } = await gateway.status();
    const words = [
      `${(hours * 60).toFixed(0).padStart(4)} min`,
      `RSS ${megabytes.toFixed(1)} MB`,
      `acked ${acked}`,
      `online ${online.online}`,
      `loop p99 ${eventLoopDelayMs.p99.toFixed(0)} ms`,
      `CPU ${cpuSeconds(gateway.pid)?.toFixed(0)} s`,
      `spool ${(disk.usedBytes / 1e6).toFixed(0)} MB`,
    ];
    console.log(words.join("  "));
  }
  return samples;
}

function judge(samples) {
  const settled = samples.filter(([hours]) => hours >= (minutes / 60) * SETTLED_SHARE);
  const slope = slopePerHour(settled);
  const isLong = minutes >= MINUTES_TO_JUDGE;
  const verdict = !isLong ? "too short to judge" : slope < SLOPE_MB_MAX ? "flat" : "GROWS";
  console.log(`RSS slope over the last two thirds: ${slope.toFixed(2)} MB/h, ${settled.length} samples: ${verdict}`);
  return isLong && slope >= SLOPE_MB_MAX ? 1 : 0;
}
