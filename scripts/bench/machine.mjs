// On what the numbers were made: processor, memory, disk, and the version of everyone who took part.

import { execFileSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { findCommand } from "../testing/requires.mjs";
import { inRoot } from "../workspace/report.mjs";
import { median } from "./result.mjs";

/** File systems whose fsync does nothing, by the magic number of statfs(2). */
const TMPFS = 0x01021994;
const RAMFS = 0x858458f6;

/** Part of the processors that others may use before the numbers are worth a warning. */
const BUSY_SHARE_MIN = 0.5;

const FSYNC_SAMPLES = 50;

/**
 * What the report says about this machine.
 * @param {string} folder where the run puts its databases
 */
export function describeMachine(folder) {
  const [cpu] = cpus();
  const [load = 0] = loadavg();
  return {
    cpu: `${cpus().length} × ${cpu?.model.trim() ?? "unknown"}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    system: `${platform()} ${release()} ${arch()}`,
    disk: `${isInMemory(folder) ? "memory" : "disk"}, fsync of 4 KiB ${fsyncMs(folder)} ms`,
    load: `${load.toFixed(2)} before the run`,
    isBusy: load > BUSY_SHARE_MIN * cpus().length,
    versions: versions(),
  };
}

/** True when an fsync in this folder proves nothing. */
export const isInMemory = (folder) => [TMPFS, RAMFS].includes(statfsSync(folder).type);

/** Median time of an fsync after 4 KiB, in ms: what one commit waits for at least. */
function fsyncMs(folder) {
  const file = join(folder, "fsync-probe");
  const page = Buffer.alloc(4096, 1);
  const descriptor = openSync(file, "w");
  const times = Array.from({ length: FSYNC_SAMPLES }, () => {
    const from = performance.now();
    writeSync(descriptor, page);
    fsyncSync(descriptor);
    return performance.now() - from;
  });
  closeSync(descriptor);
  rmSync(file);
  return median(times).toFixed(2);
}

function versions() {
  return {
    tidegate: packageVersion(inRoot("gateway/package.json")),
    node: process.versions.node,
    ws: packageVersion(inRoot("node_modules/ws/package.json")),
    mqtt: packageVersion(inRoot("node_modules/mqtt/package.json")),
    sqlite: packageVersion(inRoot("node_modules/better-sqlite3/package.json")),
    mosquitto: programVersion("mosquitto", ["-h"], /version (\S+)/),
    nats: programVersion("nats-server", ["--version"], /v(\d\S*)/),
    gcc: programVersion("gcc", ["-dumpfullversion"], /(\S+)/),
  };
}

function packageVersion(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).version;
  } catch {
    return null;
  }
}

function programVersion(name, args, pattern) {
  const path = findCommand(name);
  if (path === null) return null;
  try {
    return pattern.exec(execFileSync(path, args, { encoding: "utf8" }))?.[1] ?? null;
  } catch (error) {
    // `mosquitto -h` says its version and ends with a failure.
    return pattern.exec(String(error.stdout))?.[1] ?? null;
  }
}
