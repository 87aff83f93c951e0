/** What this machine tells of itself: its disks for `card.ts`, its addresses for certificates. Edge room `config`. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import type { BlockFacts } from "./card.js";

/** Addresses of all interfaces but loopback, now. */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flat()
    .flatMap((address) => (address === undefined || address.internal ? [] : [address.address]));
}

/** Reads /proc and /sys of this machine; elsewhere every answer is null. */
export function systemBlockFacts(): BlockFacts {
  return {
    mounts: () => orNull(() => readFileSync("/proc/mounts", "utf8")),
    deviceNumber: (path) => orNull(() => blockNumber(statSync(path).dev)),
    readLink: (path) => orNull(() => readlinkSync(path)),
    list: (path) => orNull(() => readdirSync(path)) ?? [],
  };
}

/** `major:minor` as in makedev(3) of glibc: the low parts; numbers above 255 do not occur for cards. */
export function blockNumber(device: number): string {
  return `${(device >> 8) & 0xfff}:${device & 0xff}`;
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
