/**
 * `npm run mutants`: each mutant of the list, and who notices it. The table and the last line sum up; exit 1 when too
 * many survive.
 *
 *   npm run mutants                       all of them
 *   npm run mutants -- --only TEXT        those whose name or file has the text
 *   npm run mutants -- --workers 2        so many at a time (1 unless told)
 *   npm run mutants -- --state FILE       goes on where it was ended: what is in the file is not tried again
 *   npm run mutants -- --story NAME       plants that one and tells how the world found it: the last lines of its story
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { realMs } from "../src/clock.js";
import { type Catch, hunt } from "./hunt.js";
import { MUTANTS } from "./list.js";
import type { Mutant } from "./mutant.js";
import { plantedWorld } from "./planted-world.js";
import { RunState } from "./run-state.js";
import { tableOf } from "./table.js";

/** Seeds of one mutant are run for so long. */
const SEEDS_MS = 180_000;
/** At least this share has to be noticed. */
const CAUGHT_SHARE_MIN = 0.95;
const STORY_LINES = 30;
const STORY_FINDINGS_MAX = 5;

/** @param root of the repository. @param self this program's file. @returns the exit code. */
export async function main(argv: readonly string[], root: string, self: string): Promise<number> {
  const text = { type: "string" } as const;
  const options = { only: text, workers: text, json: text, state: text, "seeds-of": text, story: text };
  const { values } = parseArgs({ args: [...argv], options });
  if (values.story !== undefined) return story(values.story, root);
  const seedsOf = values["seeds-of"];
  if (seedsOf !== undefined) return seeds(seedsOf, root);
  const only = values.only ?? "";
  const meant = MUTANTS.filter(({ name, file }) => name.includes(only) || file.includes(only));
  const state = new RunState(values.state ?? null, root);
  const waiting = meant.filter((mutant) => state.of(mutant) === null);
  if (waiting.length < meant.length) console.log(`${meant.length - waiting.length} were tried before`);
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = await hunt(next, root, self);
      state.add(next, found);
      console.log(lineOf(next, found));
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.workers ?? 1)) }, work));
  return sum(
    meant.flatMap((mutant) => {
      const found = state.of(mutant);
      return found === null ? [] : [{ mutant, found }];
    }),
    values.json,
  );
}

function lineOf({ name, file }: Mutant, { by, tookMs }: Catch): string {
  const head = `${by === null ? "SURVIVED" : "caught  "}  ${name} (${(tookMs / 1_000).toFixed(0)} s)`;
  return [head, file, by ?? "nobody noticed"].join("\n            ");
}

function sum(tried: readonly { mutant: Mutant; found: Catch }[], json: string | undefined): number {
  const caughtCount = tried.filter(({ found }) => found.by !== null).length;
  const share = caughtCount / Math.max(1, tried.length);
  if (json !== undefined) {
    const rows = tried.map(({ mutant: { name, file }, found: { by, tookMs } }) => ({ name, file, by, tookMs }));
    writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
  }
  for (const line of tableOf(tried)) console.log(line);
  const seconds = (tried.reduce((total, { found }) => total + found.tookMs, 0) / 1_000).toFixed(0);
  const percent = (share * 100).toFixed(1);
  console.log(`mutants=${tried.length} caught=${caughtCount} share=${percent}% seconds=${seconds}`);
  return share >= CAUGHT_SHARE_MIN ? 0 : 1;
}

function mutantCalled(name: string): Mutant {
  const mutant = MUTANTS.find((known) => known.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
  return mutant;
}

/** Finds the first seed that notices, runs it again and prints what led to it. @returns 1 when one does. */
async function story(name: string, root: string): Promise<number> {
  const mutant = mutantCalled(name);
  const World = await plantedWorld(mutant, root);
  for (let seed = 1; seed <= Math.max(1, mutant.seedsMax); seed++) {
    const { findings } = await new World(seed).run();
    if (findings.length === 0) continue;
    const { lines } = await new World(seed, true).run();
    const noticed = lines.findIndex((line) => line.includes("CHECKER"));
    const end = noticed < 0 ? lines.length : noticed + 1;
    console.log(`${mutant.file}: ${name}`);
    console.log(`seed ${seed}, of ${lines.length} events those before it was noticed:`);
    console.log(lines.slice(Math.max(0, end - STORY_LINES), end).join("\n"));
    const told = findings.slice(0, STORY_FINDINGS_MAX);
    console.log(told.map(({ invariant, detail }) => `${invariant}: ${detail}`).join("\n"));
    return 1;
  }
  console.log(`${name}: no seed up to ${mutant.seedsMax} noticed`);
  return 0;
}

/** The world with that mutant in it, seed after seed. @returns 1 when one notices. */
async function seeds(name: string, root: string): Promise<number> {
  const mutant = mutantCalled(name);
  const World = await plantedWorld(mutant, root);
  // On a slow machine fewer seeds are run: that is no catch, and not the mutant's doing.
  const untilMs = realMs() + SEEDS_MS;
  for (let seed = 1; seed <= mutant.seedsMax && realMs() < untilMs; seed++) {
    const { findings } = await new World(seed).run();
    const first = findings[0];
    if (first === undefined) continue;
    console.log(`world, seed ${seed}: ${first.invariant}: ${first.detail.split("\n")[0]}`);
    return 1;
  }
  return 0;
}
