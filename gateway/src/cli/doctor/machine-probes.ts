/** Looks at Node, the database module and the clock. Edge room `cli`. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClockFacts, NodeFacts } from "./facts.js";

/** A program that takes longer to tell the time is not asked again. */
const PROGRAM_MS_MAX = 2_000;

/** This Node and what native modules must be built for. */
export function nodeFacts(): NodeFacts {
  const { node, modules } = process.versions;
  return { version: node, abi: modules, machine: `${process.platform} ${process.arch}` };
}

/** Why a database cannot be opened here, with every cause in it; null when it can. */
export async function scratchDatabase(unixMs: number): Promise<string | null> {
  let folder: string | null = null;
  try {
    folder = await mkdtemp(join(tmpdir(), "tidegate-doctor-"));
    // Loaded here: the native module may be what is broken, and then the doctor must still run.
    const { closeDatabase, openDatabase } = await import("../../storage/database.js");
    const { IDENTITY_SCHEMA } = await import("../../storage/identity-schema.js");
    closeDatabase(openDatabase(join(folder, "scratch.db"), { schema: IDENTITY_SCHEMA, unixMs }).db);
    return null;
  } catch (error) {
    return chainOf(error);
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

function chainOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? ` (${String(error.code)})` : "";
  const cause = error.cause === undefined ? "" : `\n${chainOf(error.cause)}`;
  return `${error.message}${code}${cause}`;
}

/** The clock and who keeps it; `unixMs` is what it says now. */
export async function clockFacts(unixMs: number): Promise<ClockFacts> {
  const [isSynchronised, hasRtc] = await Promise.all([askTimedatectl(), findRtc()]);
  return { unixMs, isSynchronised, hasRtc };
}

/** The kernel's word (adjtimex), so it holds for chrony and ntpd too. */
async function askTimedatectl(): Promise<boolean | null> {
  const answer = await new Promise<string>((resolve) => {
    const args = ["show", "--property=NTPSynchronized", "--value"];
    execFile("timedatectl", args, { timeout: PROGRAM_MS_MAX }, (error, out) =>
      resolve(error === null ? out.trim() : ""),
    );
  });
  if (answer === "yes" || answer === "no") return answer === "yes";
  // Without D-Bus timedatectl says nothing; systemd-timesyncd leaves a file.
  const marked = await stat("/run/systemd/timesync/synchronized").catch(() => null);
  return marked === null ? null : true;
}

async function findRtc(): Promise<boolean | null> {
  if (process.platform !== "linux") return null;
  const clocks = await readdir("/sys/class/rtc").catch(() => []);
  return clocks.length > 0;
}
