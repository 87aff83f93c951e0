// One set-up or build at a time in one checkout, also when two terminals type `npm start` at once.
//
//   .setup.lock    created with O_EXCL; JSON {token, pid, host}; touched every few seconds while held
//   stale          its process is gone (same host), or nobody touched it for a minute
//
// A stale lock is broken under a second, momentary lock, so that two waiters cannot each remove what the other made.

import { randomUUID } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, statSync, unlinkSync, utimesSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Report } from "./report.mjs";

const TOUCH_EVERY_MS = 5_000;
const UNTOUCHED_MS_MAX = 60_000;
/** Breaking a lock takes microseconds; a breaker this old died in the middle. */
const BREAKER_AGE_MS_MAX = 10_000;
const POLL_MS = 250;
/** A cold set-up on a Raspberry Pi compiles for minutes. */
const WAIT_MS_MAX = 30 * 60_000;

/**
 * Runs `work` while holding the lock file; waits for another holder, announcing it once.
 * @template T
 * @param {string} lockFile
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (holderPid: number) => void, waitMsMax?: number }} [options]
 * @returns {Promise<T>}
 * @throws Report when the lock is still held after the longest wait, or cannot be created
 */
export async function exclusively(lockFile, work, { onWait = () => {}, waitMsMax = WAIT_MS_MAX } = {}) {
  const token = await acquire(lockFile, onWait, waitMsMax);
  const touching = setInterval(() => touch(lockFile), TOUCH_EVERY_MS);
  touching.unref();
  const releaseAtExit = () => release(lockFile, token);
  process.once("exit", releaseAtExit);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    process.off("exit", releaseAtExit);
    release(lockFile, token);
  }
}

async function acquire(lockFile, onWait, waitMsMax) {
  const token = randomUUID();
  const deadlineMs = Date.now() + waitMsMax;
  let isAnnounced = false;
  for (;;) {
    if (tryCreate(lockFile, JSON.stringify({ token, pid: process.pid, host: hostname() }))) return token;
    const holder = readHolder(lockFile);
    if (holder === null || breakIfStale(lockFile, holder)) continue;
    if (!isAnnounced) onWait(holder.pid);
    isAnnounced = true;
    if (Date.now() >= deadlineMs) {
      throw new Report({
        what: "another set-up or build of this checkout does not end",
        why: `process ${holder.pid} on ${holder.host} holds ${lockFile}`,
        action: "end that process, or remove the file if it is not a Tidegate script, and run this again",
      });
    }
    await sleep(POLL_MS);
  }
}

function tryCreate(file, content) {
  try {
    const fd = openSync(file, "wx", 0o644);
    writeSync(fd, content);
    closeSync(fd);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw new Report({
      what: "the checkout cannot be written to",
      why: error.message,
      action: "clone into a folder you own, or fix its permissions, and run this again",
    });
  }
}

/** The holder as written; a file that vanished is null, one that is half written has no token yet. */
function readHolder(lockFile) {
  try {
    const touchedAtMs = statSync(lockFile).mtimeMs;
    const text = readFileSync(lockFile, "utf8");
    try {
      return { ...JSON.parse(text), touchedAtMs };
    } catch {
      return { token: text, pid: 0, host: "", touchedAtMs };
    }
  } catch {
    return null;
  }
}

function isStale(holder) {
  if (Date.now() - holder.touchedAtMs > UNTOUCHED_MS_MAX) return true;
  return holder.host === hostname() && holder.pid > 0 && !isAlive(holder.pid);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function breakIfStale(lockFile, holder) {
  if (!isStale(holder)) return false;
  const breaker = `${lockFile}.break`;
  if (!tryCreate(breaker, String(process.pid))) {
    const other = readHolder(breaker);
    if (other !== null && Date.now() - other.touchedAtMs > BREAKER_AGE_MS_MAX) rmSync(breaker, { force: true });
    return false;
  }
  try {
    const now = readHolder(lockFile);
    if (now !== null && now.token === holder.token && isStale(now)) rmSync(lockFile, { force: true });
    return true;
  } finally {
    rmSync(breaker, { force: true });
  }
}

function touch(lockFile) {
  try {
    const now = new Date();
    utimesSync(lockFile, now, now);
  } catch {
    // Removed from outside; the work goes on, and `release` will find nothing of ours.
  }
}

function release(lockFile, token) {
  const holder = readHolder(lockFile);
  if (holder === null || holder.token !== token) return;
  try {
    unlinkSync(lockFile);
  } catch {
    // Someone else removed it between the two calls; it is gone, which is what we want.
  }
}
