/**
 * Who notices a mutant? First the tests beside the code, then seeds of the world, each in a process of its own that
 * gets so long and no longer.
 *
 *   mutant ─▶ vitest on its tests ──fails──▶ caught by that test
 *                  └─passes─▶ world, seed 1 … n ──violation──▶ caught by that seed
 *                                  └─none─▶ survived
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { realMs } from "../src/clock.js";
import type { Mutant } from "./mutant.js";

/** A test run or a series of seeds may take this long: a mutant that hangs is noticed, too. */
const TESTS_MS_MAX = 120_000;
const SEEDS_MS_MAX = 400_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

export interface Catch {
  /** Who noticed; null: nobody. */
  readonly by: string | null;
  /** How long it took to find out. */
  readonly tookMs: number;
}

interface VitestReport {
  readonly success: boolean;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** @param root of the repository. @param self the program that `--seeds-of NAME` runs the world in. */
export async function hunt(mutant: Mutant, root: string, self: string): Promise<Catch> {
  const fromMs = realMs();
  const by = (await byTests(mutant, root)) ?? (await byWorld(mutant, root, self));
  return { by, tookMs: realMs() - fromMs };
}

async function byWorld(mutant: Mutant, root: string, self: string): Promise<string | null> {
  if (mutant.seedsMax === 0) return null;
  const { code, stdout } = await run([self, "--seeds-of", mutant.name], root, { timeoutMs: SEEDS_MS_MAX });
  if (code === "time") return `world: it did not end within ${SEEDS_MS_MAX / 1_000} s`;
  return code === 1 ? (stdout.trim().split("\n").at(-1) ?? "world") : null;
}

async function byTests(mutant: Mutant, root: string): Promise<string | null> {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const outputFile = join(root, "firmware-sim", "world", "dist", "mutants", `tests-${process.pid}-${counter()}.json`);
  const config = join(root, "firmware-sim", "world", "mutants", "vitest.config.ts");
  const args = [vitest, "run", "--config", config, "--outputFile", outputFile, ...mutant.tests];
  const { code } = await run(args, root, { timeoutMs: TESTS_MS_MAX, mutant: mutant.name });
  if (code === "time") return `tests: they did not end within ${TESTS_MS_MAX / 1_000} s`;
  const report = JSON.parse(readFileSync(outputFile, "utf8")) as VitestReport; // vitest's own format
  if (report.numTotalTests === 0) throw new Error(`${mutant.name}: none of its tests ran`);
  if (report.success) return null;
  for (const { name, message, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === "failed");
    const file = name.slice(root.length).replace(/^\//, "");
    if (failed !== undefined) return `${file}: ${failed.fullName}`;
    if (message !== "") return `${file}: ${message.split("\n")[0]}`;
  }
  return "tests: failed outside of a test";
}

let runCount = 0;

function counter(): number {
  runCount += 1;
  return runCount;
}

interface RunOptions {
  readonly timeoutMs: number;
  readonly mutant?: string;
}

function run(
  args: readonly string[],
  cwd: string,
  options: RunOptions,
): Promise<{ code: number | "time"; stdout: string }> {
  const { timeoutMs, mutant } = options;
  const env = { ...process.env, NO_COLOR: "1", ...(mutant === undefined ? {} : { TIDEGATE_MUTANT: mutant }) };
  const how = { cwd, env, timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: OUTPUT_BYTES_MAX } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...args], how, (error, stdout) => {
      const code = error === null ? 0 : error.killed === true ? "time" : Number(error.code ?? 1);
      resolve({ code, stdout });
    });
  });
}
