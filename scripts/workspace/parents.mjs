// Tells when the npm that started us is gone. npm that is killed takes nobody along: the shell between us may live on,
// and we would run forever without an owner.
//
//   terminal ── npm ── sh -c ── us         (or npm ── us, where sh replaces itself)

import { readFileSync } from "node:fs";

/** How often we look; an orphan lives this long at most. */
const LOOK_EVERY_MS = 1_000;
const ANCESTORS_MAX = 8;

/** Parent's pid and the start time that tells a process from a later one with the same number; null when gone. */
function readProcess(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields after the parenthesised name, which may itself hold spaces: state, ppid, …, start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { ppid: Number(fields[1]), startTime: fields[19], isZombie: fields[0] === "Z" };
  } catch {
    return null;
  }
}

/** The nearest ancestor whose command line is npm's, or null (not under npm, or no /proc). */
function findNpm() {
  let pid = process.ppid;
  for (let step = 0; step < ANCESTORS_MAX && pid > 1; step += 1) {
    const found = readProcess(pid);
    if (found === null) return null;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (/^npm\b|\/npm(-cli\.js)?\0|\/npm-cli\.js/.test(commandLine)) return { pid, startTime: found.startTime };
    pid = found.ppid;
  }
  return null;
}

/**
 * Calls `onGone` once when the npm that started us has ended.
 * @returns {() => void} stops looking
 */
export function watchNpm(onGone, env = process.env) {
  if (env.npm_lifecycle_event === undefined) return () => {};
  const npm = findNpm();
  if (npm === null) return () => {};
  const timer = setInterval(() => {
    const found = readProcess(npm.pid);
    if (found !== null && found.startTime === npm.startTime && !found.isZombie) return;
    clearInterval(timer);
    onGone();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
