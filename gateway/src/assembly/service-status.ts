/** The line that `systemctl status tidegate` shows: what a person would ask first. Pure. */
import type { StatusFacts } from "../admin/admin-host.js";

/** `3 of 7 devices online · sink broker: 1204 waiting · 31 h of outage left`. */
export function statusLine({ devices, backlog, disk, outageHoursLeft }: StatusFacts): string {
  const behind = backlog.filter(({ orphaned, backlogCount }) => !orphaned && backlogCount > 0);
  const parts = [
    `${devices.online} of ${devices.total} devices online`,
    ...(disk.full ? ["the disk is full: devices wait"] : []),
    ...behind.map(({ sink, backlogCount }) => `sink ${sink}: ${backlogCount} waiting`),
    ...(outageHoursLeft === null ? [] : [`${Math.floor(outageHoursLeft)} h of outage left`]),
  ];
  return parts.join(" · ");
}
