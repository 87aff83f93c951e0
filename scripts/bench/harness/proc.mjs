// What Linux tells about a process: memory and CPU time. Elsewhere, or when the process is gone, null.

import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc/<pid>/stat: USER_HZ, 100 on every Linux that runs Node. */
const TICKS_PER_SECOND = 100;

/** Resident memory in bytes. */
export function rssBytes(pid) {
  const match = /^VmRSS:\s+(\d+) kB/m.exec(read(pid, "status"));
  return match === null ? null : Number(match[1]) * 1024;
}

/** Resident memory by kind, in bytes: the process's own, and pages of files that the system can take back. */
export function memoryBytes(pid) {
  const text = read(pid, "status");
  const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return text === "" ? null : { anonymous: of("RssAnon"), file: of("RssFile") + of("RssShmem") };
}

/** CPU seconds, user and system, of all threads so far. */
export function cpuSeconds(pid) {
  const text = read(pid, "stat");
  // The command's name stands in parentheses and may hold anything; the fields follow the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.length < 13 ? null : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Bytes it has caused to be written to storage so far. */
export function writtenBytes(pid) {
  const match = /^write_bytes: (\d+)/m.exec(read(pid, "io"));
  return match === null ? null : Number(match[1]);
}

/** Most files a process of this user may have open; Node raises itself to it. */
export function openFilesMax() {
  const match = /^Max open files\s+\S+\s+(\d+)/m.exec(read("self", "limits"));
  return match === null ? Number.POSITIVE_INFINITY : Number(match[1]);
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
