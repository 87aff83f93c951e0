/** `tidegate status`: one page about a running gateway. */
import type { Command } from "commander";
import * as z from "zod";
import { bytes, grouped, span } from "../quantities.js";
import { type ReadOptions, readVerb, type Shell } from "../shell.js";

/** What the page shows; an answer may hold more, and `--json` prints all of it. */
const statusShape = z.looseObject({
  gateway: z.string(),
  version: z.string(),
  state: z.string(),
  uptimeMs: z.number(),
  ports: z.looseObject({ devices: z.number().nullable(), admin: z.number().nullable() }),
  devices: z.looseObject({ online: z.number(), sleeping: z.number().default(0), total: z.number() }),
  acked: z.number(),
  duplicates: z.number(),
  conflicts: z.number(),
  gaps: z.number(),
  backlog: z.array(z.looseObject({ sink: z.string(), count: z.number(), ageMs: z.number(), orphaned: z.boolean() })),
  disk: z.looseObject({ usedBytes: z.number(), quotaBytes: z.number(), freeBytes: z.number(), full: z.boolean() }),
  outageHoursLeft: z.number().nullable(),
  bytesWrittenToday: z.number(),
  eventLoopDelayMs: z.looseObject({ p99: z.number() }),
});
type Status = z.infer<typeof statusShape>;

/** Adds `status` to the program; it ends with 1 when the gateway is not well. */
export function addStatus(program: Command, shell: Shell): void {
  readVerb(program, "status", "show how a running gateway is doing").action(async (options: ReadOptions) => {
    const status = await shell.client(options).call("GET", "/api/v1/status", statusShape);
    if (options.json === true) shell.json(status);
    else shell.pairs(statusLines(status));
    if (status.state !== "ok") shell.exitCode = 1;
  });
}

function statusLines(status: Status): [string, string][] {
  const { devices, disk, ports } = status;
  const sleeping = devices.sleeping > 0 ? `, ${devices.sleeping} sleeping` : "";
  return [
    ["gateway", `${status.gateway} · ${status.state} · tidegate ${status.version} · up ${span(status.uptimeMs)}`],
    ["ports", `devices ${ports.devices ?? "off"} · dashboard ${ports.admin ?? "off"}`],
    ["devices", `${devices.online} online of ${devices.total}${sleeping}`],
    [
      "messages",
      `${grouped(status.acked)} acked · ${grouped(status.duplicates)} repeats · ${grouped(status.conflicts)} conflicts`,
    ],
    ["gaps", status.gaps === 0 ? "none" : `${grouped(status.gaps)}, see \`tidegate gaps ls\``],
    ...sinkLines(status),
    ["disk", diskText(disk)],
    [
      "outage",
      status.outageHoursLeft === null ? "not known yet" : `${hours(status.outageHoursLeft)} until the spool is full`,
    ],
    ["written", `${bytes(status.bytesWrittenToday)} today`],
    ["delay", `${status.eventLoopDelayMs.p99.toFixed(1)} ms at the 99th percentile`],
  ];
}

function sinkLines({ backlog }: Status): [string, string][] {
  if (backlog.length === 0) return [["sinks", "none configured; telemetry is kept here"]];
  return backlog.map((sink) => {
    const orphaned = sink.orphaned ? " · no longer configured" : "";
    const behind = sink.count === 0 ? "caught up" : `${grouped(sink.count)} waiting, oldest ${span(sink.ageMs)}`;
    return [`sink ${sink.sink}`, behind + orphaned];
  });
}

function diskText({ usedBytes, quotaBytes, freeBytes, full }: Status["disk"]): string {
  return `${bytes(usedBytes)} of ${bytes(quotaBytes)}${full ? " · FULL" : ""} · ${bytes(freeBytes)} free`;
}

function hours(count: number): string {
  return count >= 48 ? `${Math.floor(count / 24)} days` : `${Math.floor(count)} hours`;
}
