/** The pulse of a running gateway, and the line that `systemctl status` shows: what a person would ask first. */
import type { StatusFacts } from "../admin/admin-host.js";
import type { PulseSource } from "./service-pulse.js";
import type { Store } from "./store.js";

/** Asks the storage worker itself, through its queue; the line after it may come from memory. */
export function pulseOf(
  store: Pick<Store, "ping" | "answeredCount">,
  desk: { status(): Promise<StatusFacts> },
): PulseSource {
  return {
    beat: async () => {
      await store.ping();
      return statusLine(await desk.status());
    },
    answeredCount: () => store.answeredCount(),
  };
}

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
