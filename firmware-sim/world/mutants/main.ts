/**
 * `npm run mutants`: each mutant of the list, and who notices it. The last line sums up; exit 1 when too many survive.
 *
 *   npm run mutants                       all of them
 *   npm run mutants -- --only TEXT        those whose name or file has the text
 *   npm run mutants -- --workers 2        so many at a time (1 unless told)
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Catch, hunt } from "./hunt.js";
import { MUTANTS } from "./list.js";
import type { Mutant } from "./mutant.js";
import { plantedWorld } from "./planted-world.js";

/** At least this share has to be noticed. */
const CAUGHT_SHARE_MIN = 0.95;

/** @param root of the repository. @param self this program's file. @returns the exit code. */
export async function main(argv: readonly string[], root: string, self: string): Promise<number> {
  const text = { type: "string" } as const;
  const options = { only: text, workers: text, json: text, "seeds-of": text };
  const { values } = parseArgs({ args: [...argv], options });
  const seedsOf = values["seeds-of"];
  if (seedsOf !== undefined) return seeds(seedsOf, root);
  const only = values.only ?? "";
  const waiting = MUTANTS.filter(({ name, file }) => name.includes(only) || file.includes(only));
  const caught: Catch[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const found = await hunt(next, root, self);
      caught.push(found);
      console.log(
        [`${found.by === null ? "SURVIVED" : "caught  "}  ${next.name}`, next.file, found.by ?? "nobody noticed"].join(
          "\n            ",
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values.workers ?? 1)) }, work));
  return sum(caught, values.json);
}

function sum(caught: readonly Catch[], json: string | undefined): number {
  const survivors = caught.filter(({ by }) => by === null);
  const share = (caught.length - survivors.length) / Math.max(1, caught.length);
  if (json !== undefined) {
    const rows = caught.map(({ mutant: { name, file }, by }) => ({ name, file, by }));
    writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`);
  }
  const percent = (share * 100).toFixed(1);
  console.log(`mutants=${caught.length} caught=${caught.length - survivors.length} share=${percent}%`);
  return share >= CAUGHT_SHARE_MIN ? 0 : 1;
}

/** The world with that mutant in it, seed after seed. @returns 1 when one notices. */
async function seeds(name: string, root: string): Promise<number> {
  const mutant: Mutant | undefined = MUTANTS.find((known) => known.name === name);
  if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
  const World = await plantedWorld(mutant, root);
  for (let seed = 1; seed <= mutant.seedsMax; seed++) {
    const { findings } = await new World(seed).run();
    const first = findings[0];
    if (first === undefined) continue;
    console.log(`world, seed ${seed}: ${first.invariant}: ${first.detail.split("\n")[0]}`);
    return 1;
  }
  return 0;
}
