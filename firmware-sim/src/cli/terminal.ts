/** What the commands print: status line, summary, errors. No decisions here. */
import { messageOf, SimError } from "../sim-error.js";
import type { Tally } from "../tally.js";

/** Where text goes; a process stream fits. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Three lines about a failure. */
export function errorText(thrown: unknown): string {
  if (thrown instanceof SimError) return threeLines(thrown.what, thrown.why, thrown.fix);
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
  return `${online}/${devices} online · sent ${grouped(sent)} · acked ${grouped(acked)} · buffered ${grouped(buffered)} · reconnects ${grouped(reconnects)}`;
}
