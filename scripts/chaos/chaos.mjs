// The promise on real processes, the long form: SIGKILL of the gateway at moments of chance, and at the k-th fsync,
// write and send of a life of 200 messages, judged by what a subscriber received. `tidegate rehearse` does the work, in
// pieces; each piece's verdict is one line of a file, so a run that was ended goes on where it stood.
//
//   node scripts/chaos/chaos.mjs [--kills 1000] [--fsync STEP] [--write STEP] [--send STEP] [--store STEP]
//                                [--state FILE]
//
//   STEP 1 takes every k, 10 every tenth, 0 none (the default). `--store` kills the storage alone (its worker threads
//   in a small process, started in a fraction of the time) at its fsyncs and writes. The exit code is 1 when anything
//   was lost or doubled.

import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { StoreKills } from "./store-kills.mjs";

const REHEARSE = fileURLToPath(new URL("../../firmware-sim/bin/tidegate-sim.js", import.meta.url));

/** Kills per piece: each piece has a broker, a store and devices of its own. */
const PIECE_KILLS = 50;

/** Far more calls than 200 messages make; a piece that sees the end of the life says so. */
const POINTS_MAX = 20_000;

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "0" },
    fsync: { type: "string", default: "0" },
    write: { type: "string", default: "0" },
    send: { type: "string", default: "0" },
    store: { type: "string", default: "0" },
    state: { type: "string", default: join(tmpdir(), "tidegate-chaos.jsonl") },
  },
});

/** @returns {Map<string, object>} verdicts by the name of their piece */
function done() {
  if (!existsSync(values.state)) return new Map();
  const lines = readFileSync(values.state, "utf8").split("\n").filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line)).map((entry) => [entry.piece, entry]));
}

function play(piece, args) {
  const known = done().get(piece);
  if (known !== undefined) return known;
  const run = spawnSync(process.execPath, [REHEARSE, "rehearse", "--json", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  let verdict = {};
  try {
    verdict = JSON.parse(run.stdout);
  } catch {
    // The rehearsal itself failed; its words are above.
  }
  const entry = { piece, exitCode: run.status, ...verdict };
  appendFileSync(values.state, `${JSON.stringify(entry)}\n`);
  process.stdout.write(`${summaryOf(piece, [entry])}\n`);
  return entry;
}

function summaryOf(name, entries) {
  const sum = (key) => entries.reduce((total, entry) => total + (entry[key] ?? 0), 0);
  const failed = entries.filter((entry) => entry.exitCode !== 0).length;
  return [
    `${name.padEnd(16)} kills=${sum("kills")} starting=${sum("killsWhileStarting")} sent=${sum("attempted")}`,
    `acked=${sum("acked")} delivered=${sum("unique")} repeated=${sum("repeats")} lost=${sum("missing")}`,
    `doubled=${sum("doubled")} altered=${sum("altered")} disordered=${sum("outOfOrder")} failed=${failed}`,
  ].join(" ");
}

function randomKills(kills) {
  const entries = [];
  for (let from = 0; from < kills; from += PIECE_KILLS) {
    const count = String(Math.min(PIECE_KILLS, kills - from));
    const seed = String(1 + from / PIECE_KILLS);
    entries.push(play(`random-${seed}`, ["--random-kills", count, "--devices", "5", "--seed", seed]));
  }
  return entries;
}

function killPoints(call, step) {
  const entries = [];
  for (let from = 1; from <= POINTS_MAX; from += PIECE_KILLS * step) {
    const to = from + PIECE_KILLS * step - 1;
    const range = ["--from", String(from), "--to", String(to), "--step", String(step)];
    const entry = play(`${call}-${from}/${step}`, ["--kill-at", call, ...range]);
    entries.push(entry);
    // Fewer kills than points: the life of 200 messages ended before `to`.
    if ((entry.kills ?? 0) < PIECE_KILLS) break;
  }
  return entries;
}

/** Every STEP-th fsync and write of the storage's own life of 200 messages. */
async function storePoints(step) {
  const entries = [];
  const store = new StoreKills();
  try {
    for (const call of ["fsync", "write"]) {
      const name = `store-${call}/${step}`;
      let entry = done().get(name);
      if (entry === undefined) {
        const sum = { piece: name, exitCode: 0, kills: 0, attempted: 0, acked: 0, unique: 0, missing: 0, doubled: 0 };
        let verdict = await store.killAt(call, 1);
        for (let k = 1; verdict.isKilled; verdict = await store.killAt(call, k)) {
          sum.kills += 1;
          for (const key of ["attempted", "acked", "unique", "missing", "doubled"]) sum[key] += verdict[key];
          if (verdict.missing + verdict.doubled > 0) sum.exitCode = 1;
          k += step;
        }
        entry = sum;
        appendFileSync(values.state, `${JSON.stringify(entry)}\n`);
      }
      process.stdout.write(`${summaryOf(name, [entry])}\n`);
      entries.push(entry);
    }
  } finally {
    store.close();
  }
  return entries;
}

const all = [];
if (Number(values.kills) > 0) all.push(["random", randomKills(Number(values.kills))]);
if (Number(values.store) > 0) all.push(["store", await storePoints(Number(values.store))]);
for (const call of ["fsync", "write", "send"]) {
  const step = Number(values[call]);
  if (step > 0) all.push([call, killPoints(call, step)]);
}
process.stdout.write("\n");
for (const [name, entries] of all) process.stdout.write(`${summaryOf(name, entries)}\n`);
process.exitCode = all.some(([, entries]) => entries.some((entry) => entry.exitCode !== 0)) ? 1 : 0;
