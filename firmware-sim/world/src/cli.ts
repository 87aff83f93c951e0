/**
 * `npm run world`: seeds in order, or for some minutes; the last line sums up, the exit code says whether all held.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { realMs } from "./clock.js";
import { Summary } from "./summary.js";
import { World } from "./world.js";

const USAGE = "usage: npm run world -- --seed N [--verbose] | --seeds N [--from N] | --minutes M [--json FILE]";
const TWICE_EVERY = 100;
const PROGRESS_EVERY_MS = 10_000;

interface Wish {
  readonly from: number;
  readonly seeds: number;
  readonly untilMs: number;
  readonly isVerbose: boolean;
  readonly json: string | undefined;
}

/** @returns the exit code: 0 everything held, 1 a violation, 2 usage. */
export async function main(argv: readonly string[]): Promise<number> {
  const wish = wishOf(argv);
  if (wish === null) {
    console.error(USAGE);
    return 2;
  }
  const summary = new Summary();
  let toldMs = realMs();
  for (let seed = wish.from; seed < wish.from + wish.seeds && realMs() < wish.untilMs; seed++) {
    await runSeed(seed, wish, summary);
    if (realMs() - toldMs > PROGRESS_EVERY_MS) {
      toldMs = realMs();
      console.error(`  ${summary.line()}`);
    }
  }
  if (wish.json !== undefined) writeFileSync(wish.json, `${JSON.stringify(summary.toJson(), null, 2)}\n`);
  for (const line of summary.faultLines()) console.log(line);
  console.log(summary.line());
  return summary.violationCount === 0 ? 0 : 1;
}

async function runSeed(seed: number, wish: Wish, summary: Summary): Promise<void> {
  const report = await new World(seed, wish.isVerbose).run();
  summary.add(report);
  for (const line of report.lines) console.log(line);
  for (const { invariant, detail } of report.findings) {
    console.log(`seed ${seed}: ${invariant}: ${detail}`);
  }
  if (report.findings.length > 0) console.log(`  replay: npm run world -- --seed ${seed} --verbose`);
  if (seed % TWICE_EVERY !== 0) return;
  const again = await new World(seed).run();
  if (again.hash === report.hash) return;
  summary.violationCount += 1;
  console.log(`seed ${seed}: two runs differ: ${report.hash}, ${again.hash}`);
}

function wishOf(argv: readonly string[]): Wish | null {
  const number = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        seed: number,
        seeds: number,
        from: number,
        minutes: number,
        json: number,
        verbose: { type: "boolean", default: false },
      },
    });
    const { seed, seeds, from, minutes, json, verbose } = values;
    if (seed === undefined && seeds === undefined && minutes === undefined) return null;
    const wish = {
      from: whole(seed ?? from ?? "1"),
      seeds: seed !== undefined ? 1 : whole(seeds ?? String(2 ** 31)),
      untilMs: minutes === undefined ? Number.POSITIVE_INFINITY : realMs() + Number(minutes) * 60_000,
      isVerbose: verbose,
      json,
    };
    return Number.isNaN(wish.untilMs) ? null : wish;
  } catch {
    return null;
  }
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new RangeError(`${text} is no whole number`);
  return value;
}
