/**
 * Is the data folder on an SD card or eMMC? Then `storage.commitInterval: auto` gathers for a second before each
 * commit: such storage wears by writes and stalls for seconds. Edge room `config`; files are read through functions
 * passed in.
 *
 *   /data/spool.db ─▶ longest mount point in /proc/mounts ─▶ /dev/mmcblk0p2 ─▶ mmcblk…: a card
 *                                                            /dev/dm-0, /dev/root ─▶ resolved through /sys
 */

/** Readers of what the kernel tells; each answers null when there is no such file or link. */
export interface BlockFacts {
  /** Text of `/proc/mounts`. */
  mounts(): string | null;
  /** `major:minor` of the file system the folder is on, or null. */
  deviceNumber(path: string): string | null;
  /** Target of a link such as `/sys/dev/block/179:2`, or null. */
  readLink(path: string): string | null;
  /** Names in a folder such as `/sys/block/dm-0/slaves`; empty when there is none. */
  list(path: string): readonly string[];
}

/** Commit interval on a card, in ms. */
export const CARD_COMMIT_MS = 1_000;

/** Stacked block devices (LUKS on LVM on …) are followed this deep. */
const STACK_DEPTH_MAX = 8;

/** What `auto` means for a data folder, in ms: 1 s on SD card or eMMC, 0 elsewhere and where nothing is known. */
export function autoCommitIntervalMs(dataDir: string, facts: BlockFacts): number {
  return isOnCard(dataDir, facts) ? CARD_COMMIT_MS : 0;
}

/** True when the folder's file system sits on an `mmcblk` device, also below LUKS, LVM or RAID. */
export function isOnCard(dataDir: string, facts: BlockFacts): boolean {
  const number = facts.deviceNumber(dataDir);
  const fromSys = number === null ? null : facts.readLink(`/sys/dev/block/${number}`);
  const name = fromSys ?? mountedDevice(dataDir, facts.mounts() ?? "");
  return name !== null && stackHasCard(name, facts, STACK_DEPTH_MAX);
}

function stackHasCard(device: string, facts: BlockFacts, depth: number): boolean {
  // A link under /sys/dev/block spells the whole way: ../../devices/…/mmc_host/mmc0/…/block/mmcblk0/mmcblk0p2
  if (/(^|\/)mmcblk\d+/.test(device)) return true;
  if (depth === 0) return false;
  const name = device.split("/").at(-1) ?? "";
  return facts.list(`/sys/block/${name}/slaves`).some((slave) => stackHasCard(slave, facts, depth - 1));
}

/** The device of the longest mount point above a path. */
function mountedDevice(path: string, mounts: string): string | null {
  let best: { device: string; length: number } | null = null;
  for (const line of mounts.split("\n")) {
    const [device, escaped] = line.split(" ");
    if (device === undefined || escaped === undefined) continue;
    const point = escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const covers = point === "/" || path === point || path.startsWith(`${point}/`);
    if (covers && point.length >= (best?.length ?? 0)) best = { device, length: point.length };
  }
  return best?.device ?? null;
}
