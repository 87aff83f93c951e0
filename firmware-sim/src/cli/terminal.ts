/** What the commands print: status line, summary, errors. No decisions here. */

import type { LineErrorCounts } from "../boards/line-faults.js";
import type { FaultKind } from "../faults/schedule.js";
import { asSimError, messageOf } from "../sim-error.js";
import type { Tally } from "../tally.js";
import type { Loss } from "../virtual-device.js";

/** Where text goes; a process stream fits. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Three lines about a failure. */
export function errorText(thrown: unknown): string {
  const error = asSimError(thrown);
  if (error !== null) return threeLines(error.what, error.why, error.fix);
  return threeLines("the simulator failed", messageOf(thrown), "please report this with the command line you used");
}

/** Three lines about something that a person should look at; the simulator goes on. */
export function troubleText(detail: string): string {
  return threeLines("a simulated device is in trouble", detail, "see `tidegate status`; the simulator goes on");
}

function threeLines(what: string, why: string, fix: string): string {
  return `error: ${what}\n  why: ${why}\n  do:  ${fix}\n`;
}

/** Counts for people: `12 345`. */
export function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}

/** One line about a running fleet. */
export function statusText(online: number, devices: number, tally: Tally): string {
  const { sent, acked, buffered, reconnects } = tally;
  const counts = { sent, acked, buffered, reconnects };
  const words = Object.entries(counts).map(([name, count]) => `${name} ${grouped(count)}`);
  return [`${online}/${devices} online`, ...words].join(" · ");
}

/** What became of a fleet's messages; the shape of `--json`. */
export interface Summary extends Tally {
  readonly devices: number;
  /** Devices that were online at least once. */
  readonly everOnline: number;
  readonly seed: number;
  readonly elapsedMs: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Of the devices: boards, when there are any, and the bytes that their lines hit. */
  readonly boards?: number;
  readonly lineErrors?: LineErrorCounts;
  /** What reboots cost, at most the first thousand. */
  readonly losses: readonly Loss[];
  readonly troubles: number;
}

/** Losses shown one by one; `--json` has them all. */
const LOSSES_SHOWN = 20;

/** The summary for people. */
export function summaryText(summary: Summary): string {
  const { sent, acked, buffered, dropped, lostByReboot, losses, faults } = summary;
  const counts = Object.entries(faults).filter(([, count]) => count > 0);
  const lines = [
    `sent ${grouped(sent)} / acked ${grouped(acked)} / buffered ${grouped(buffered)}` +
      ` / dropped ${grouped(dropped + lostByReboot)}`,
    `  ${summary.everOnline} of ${summary.devices} devices were online · readings ${grouped(summary.readings)}` +
      ` · repeated ${grouped(summary.repeated)} · reconnects ${grouped(summary.reconnects)}` +
      ` · commands ${grouped(summary.commands)}`,
    ...(counts.length === 0 ? [] : [`  faults  ${counts.map(([kind, count]) => `${kind} ${count}`).join(" · ")}`]),
    ...boardsText(summary),
    ...(dropped === 0 ? [] : [`  dropped ${grouped(dropped)} from full outboxes; see \`tidegate gaps ls\``]),
    ...losses.slice(0, LOSSES_SHOWN).map(lossText),
    ...(losses.length > LOSSES_SHOWN ? [`  … and ${losses.length - LOSSES_SHOWN} more; --json lists them`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function boardsText({ boards, lineErrors }: Summary): string[] {
  if (boards === undefined || lineErrors === undefined) return [];
  const { flipped, lost, inserted } = lineErrors;
  const hit = `bytes hit ${grouped(flipped)} · lost ${grouped(lost)} · extra ${grouped(inserted)}`;
  return [`  boards  ${boards} emulated${flipped + lost + inserted === 0 ? "" : ` · ${hit}`}`];
}

function lossText({ device, epoch, after, messages }: Loss): string {
  // Without an epoch the device never had a session in that boot: the gateway cannot know of them.
  const where = epoch === 0 ? ", never sent" : ` after ${epoch}/${after}`;
  return `  dropped ${grouped(messages)} of ${device}${where}: its memory went with a reboot`;
}
