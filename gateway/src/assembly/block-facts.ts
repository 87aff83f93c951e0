/** What the kernel tells of block devices, read for `config/card.ts`. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { BlockFacts } from "../config/card.js";

/** Reads /proc and /sys of this machine; elsewhere every answer is null. */
export function systemBlockFacts(): BlockFacts {
  return {
    mounts: () => orNull(() => readFileSync("/proc/mounts", "utf8")),
    deviceNumber: (path) =>
      orNull(() => {
        const { dev } = statSync(path);
        // As in makedev(3) of glibc: the low parts; numbers above 255 do not occur for cards.
        return `${(dev >> 8) & 0xfff}:${dev & 0xff}`;
      }),
    readLink: (path) => orNull(() => readlinkSync(path)),
    list: (path) => orNull(() => readdirSync(path)) ?? [],
  };
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
