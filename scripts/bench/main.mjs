// The benchmark: every row with its peers in one run, in turns, medians, one table and one JSON file.
//
//   for each row:   ours ▶ peer A ▶ peer B ▶ ours ▶ …      one at a time: they never share the processor
//                     └────── measures ──────┘──▶ makeRow ──▶ table, JSON
//
// Turns, because a shared machine is faster at one minute than at the next; a ratio within a run survives that, a
// number does not. All processes are on loopback and end with this one.

import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ensureBuilt } from "../workspace/build.mjs";
import { formatDuration, Report } from "../workspace/report.mjs";
import { ensureSetup } from "../workspace/setup.mjs";
import { Fleet } from "./harness/fleet.mjs";
import { buildLoad } from "./harness/load.mjs";
import { endAll, endOnSignals } from "./harness/processes.mjs";
import { missingPackages } from "./installed.mjs";
import { describeMachine, isInMemory } from "./machine.mjs";
import { readOptions, USAGE } from "./options.mjs";
import { record } from "./record.mjs";
import { makeRow } from "./result.mjs";
import { ROWS } from "./rows/index.mjs";
import { renderTable } from "./table.mjs";

/** Where fleets are prepared, if there is such a place: thousands of credentials, each of them an fsync. */
const MEMORY_FOLDER = "/dev/shm";

/** `npm run bench`. Exit code 1 when something could not be measured; a missed target is a result, not a failure. */
export async function main(args) {
  const options = readOptions(
    args,
    ROWS.map(({ id }) => id),
  );
  if (options.help || options.list) {
    console.log(options.help ? USAGE : ROWS.map(({ id, title }) => `${id}  ${title}`).join("\n"));
    return 0;
  }
  if (options.build) {
    await ensureSetup();
    await ensureBuilt();
  }
  if (options.json !== null) checkWritable(options.json);
  const bench = makeBench(options);
  endOnSignals(bench.cleanUp);
  try {
    return await runRows(bench, options);
  } finally {
    await endAll();
    bench.cleanUp();
  }
}

/** Now, and not after ten minutes of measuring. */
function checkWritable(file) {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
  } catch (error) {
    throw new Report({
      what: `${file} cannot be written`,
      why: error.message,
      action: "name a file in a folder of yours",
    });
  }
}

async function runRows(bench, options) {
  const startedAtMs = performance.now();
  const machine = describeMachine(bench.folder);
  const rows = [];
  for (const spec of ROWS.filter(({ id }) => options.only.includes(id))) rows.push(await runRow(bench, spec, options));
  const took = formatDuration(performance.now() - startedAtMs);
  console.log(`\n${renderTable(machine, rows)}\n\n${options.quick ? "quick" : "full"} run, ${took}`);
  if (isInMemory(bench.folder)) console.log("note: databases were in memory; choose a disk with --dir");
  if (machine.isBusy) console.log("note: the machine was busy with something else; measure again when it is not");
  const report = { at: new Date().toISOString(), mode: options.quick ? "quick" : "full", machine, rows };
  if (options.record) record(report);
  if (options.json !== null) {
    writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  }
  return rows.some(({ ours }) => ours === null) ? 1 : 0;
}

/** All rounds of one row. A peer that fails or is absent leaves the row a note, and the others go on. */
async function runRow(bench, spec, options) {
  const notes = [];
  bench.note = (text) => notes.includes(text) || notes.push(text);
  const able = Object.keys(spec.contenders).filter((name) => isAble(spec, name, bench.note));
  const rounds = Object.fromEntries(able.map((name) => [name, []]));
  const count = options.rounds ?? (options.quick ? spec.rounds.quick : spec.rounds.full);
  for (let round = 1; round <= count; round++) {
    for (const name of able) {
      const measure = await tryMeasure(bench, spec, name);
      if (measure === null) continue;
      rounds[name].push(measure);
      console.error(`  ${spec.id} round ${round}/${count}  ${name}: ${Math.round(measure.value)} ${spec.unit}`);
    }
  }
  return makeRow(spec, rounds, notes);
}

function isAble(spec, name, note) {
  const packages = missingPackages(spec.programs[name] ?? []);
  if (packages.length > 0) note(`${name} is not installed: apt-get install ${packages.join(" ")}`);
  return packages.length === 0;
}

async function tryMeasure(bench, spec, name) {
  try {
    return await spec.contenders[name](bench);
  } catch (error) {
    console.error(`  ${spec.id}  ${name} failed\n${error?.isReport === true ? error.message : error?.stack}`);
    bench.note(`${name} failed in a round: ${String(error?.message).split("\n").slice(0, 2).join(" ")}`);
    return null;
  }
}

/** What rows work with. */
function makeBench({ quick, minutes, dir, profile }) {
  const folder = newFolderIn(dir ?? tmpdir());
  const memoryFolder = existsSync(MEMORY_FOLDER) ? newFolderIn(MEMORY_FOLDER) : folder;
  const place = {
    newFolder: () => mkdtempSync(join(folder, "run-")),
    newFastFolder: () => mkdtempSync(join(memoryFolder, "fleet-")),
    profile: profile === null ? null : resolve(profile),
  };
  const fleets = new Map();
  return {
    isQuick: quick,
    minutes,
    folder,
    newFolder: place.newFolder,
    loadProgram: buildLoad(),
    viewProgram: buildLoad("view"),
    note: () => {},
    /** The fleet of that size, made at the first call; by a gateway with those storage settings. */
    fleet: (count, storage = {}) => {
      const key = `${count} ${JSON.stringify(storage)}`;
      if (!fleets.has(key)) fleets.set(key, Fleet.make(count, place, storage));
      return fleets.get(key);
    },
    cleanUp: () => {
      for (const made of [folder, memoryFolder]) rmSync(made, { recursive: true, force: true });
    },
  };
}

function newFolderIn(parent) {
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, "tidegate-bench-"));
}
