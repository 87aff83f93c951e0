// A long time of ordinary life: does the gateway's memory grow?
//
//   node scripts/bench/soak.mjs [--devices 1000] [--minutes 60] [--rate 1000] [--dir FOLDER]    needs `npm run build`
//
//   load.c at --rate ══▶ gateway with history and one viewer; every second its resident memory; a line a minute
//
// Anonymous memory is the gateway's own (heaps, SQLite, buffers); the rest are pages of files, which the system takes
// back when it wants them. `heaps` are what lives in each thread, with garbage, of what it has taken.
//
// Ends with the slope of memory over the last two thirds, by least squares over the means of the minutes: a garbage
// collector swings within them. Exit code 1 when it grows by 1 MB an hour or more, by more than chance could have made,
// and there were at least 40 minutes to tell.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Fleet } from "./harness/fleet.mjs";
import { buildLoad, startLoad } from "./harness/load.mjs";
import { cpuSeconds, memoryBytes } from "./harness/proc.mjs";
import { endAll, endOnSignals, pause, until } from "./harness/processes.mjs";
import { meansPer, slopePerHour } from "./slope.mjs";

const SAMPLE_MS = 1_000;
const LINE_MS = 60_000;
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

/** Memory over time: hours, and MB by kind. Ends early when one of the programs does. */
async function sample(gateway, programs) {
  const samples = [];
  const from = performance.now();
  const end = from + minutes * 60_000;
  let nextLine = from + LINE_MS;
  for (let at = from + SAMPLE_MS; at <= end && programs.every(({ isRunning }) => isRunning); at += SAMPLE_MS) {
    await pause(at - performance.now());
    const { anonymous = 0, file = 0 } = memoryBytes(gateway.pid) ?? {};
    samples.push({ hours: (at - from) / 3_600_000, anonymous: anonymous / 1e6, file: file / 1e6 });
    if (at < nextLine) continue;
    nextLine += LINE_MS;
    console.log(await lineOf(gateway, samples));
  }
  return samples;
}

/** What a minute brought. */
async function lineOf(gateway, samples) {
  const [{ acked, devices: online, eventLoopDelayMs, disk }, heaps] = await Promise.all([
    gateway.status(),
    gateway.heaps(),
  ]);
  const last = samples.slice(-LINE_MS / SAMPLE_MS);
  const mean = (kind) => (last.reduce((sum, sample) => sum + sample[kind], 0) / last.length).toFixed(1);
  const heap = ({ thread, usedBytes, sizeBytes }) =>
    `${thread} ${(usedBytes / 1e6).toFixed(0)}/${(sizeBytes / 1e6).toFixed(0)}`;
  const words = [
    `${((samples.at(-1)?.hours ?? 0) * 60).toFixed(0).padStart(4)} min`,
    `RSS ${mean("anonymous")} + ${mean("file")} MB of files`,
    `heaps ${heaps.map(heap).join(" ")}`,
    `acked ${acked}`,
    `online ${online.online}`,
    `loop p99 ${eventLoopDelayMs.p99.toFixed(0)} ms`,
    `CPU ${cpuSeconds(gateway.pid)?.toFixed(0)} s`,
    `spool ${(disk.usedBytes / 1e6).toFixed(0)} MB`,
  ];
  return words.join("  ");
}

function judge(samples) {
  const settled = samples.filter(({ hours }) => hours >= (minutes / 60) * SETTLED_SHARE);
  const slope = (value) =>
    slopePerHour(
      meansPer(
        settled.map((sample) => [sample.hours, value(sample)]),
        1 / 60,
      ),
    );
  const whole = slope(({ anonymous, file }) => anonymous + file);
  const isLong = minutes >= MINUTES_TO_JUDGE;
  const isSure = whole.perHour >= SLOPE_MB_MAX && whole.perHour > 2 * whole.error;
  const verdict = isSure ? "GROWS" : whole.perHour < SLOPE_MB_MAX ? "flat" : "not more than chance could make";
  const kinds = [
    ["RSS", whole],
    ["anonymous", slope(({ anonymous }) => anonymous)],
    ["files", slope(({ file }) => file)],
  ];
  const told = kinds.map(([name, { perHour, error }]) => `${name} ${perHour.toFixed(2)} ± ${error.toFixed(2)} MB/h`);
  const minutesJudged = Math.round((minutes * 2) / 3);
  console.log(
    `slope over the last ${minutesJudged} min: ${told.join(", ")}: ${isLong ? verdict : "too short to judge"}`,
  );
  return isLong && isSure ? 1 : 0;
}
