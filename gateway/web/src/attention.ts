/**
 * What needs a person: everything on the overview that is not as it should be, worst first. Pure.
 */
import type { DeviceView, SerialView, SinkView, StatusView } from "../../src/admin/api-schemas.js";
import { ageText, countText, hoursText } from "./format.js";
import { hrefTo } from "./route.js";
import { plural, sinkStateText } from "./words.js";

/** A backlog older than this is worth a word even while the sink is connected. */
const BACKLOG_AGE_MS = 5 * 60_000;
const OUTAGE_HOURS_MIN = 24;
/** Above this, heartbeats and the dashboard feel the load. */
const LOOP_DELAY_MS = 250;
const NAMES_MAX = 3;

export interface Attention {
  readonly tone: "bad" | "note";
  readonly text: string;
  readonly href: string;
  /** What the link says. */
  readonly action: string;
}

/** Whoever came by link sees the dashboard first; the password can wait, but not be forgotten. */
const NO_PASSWORD: Attention = {
  tone: "note",
  text: "No password is set: only a login link from the command line opens this page.",
  href: hrefTo("welcome"),
  action: "set one",
};

export interface AttentionFacts {
  readonly status: StatusView;
  readonly devices: readonly DeviceView[];
  readonly sinks: readonly SinkView[];
  /** Absent: not known yet. */
  readonly serial?: SerialView;
  /** False: nobody has set the administrator's password yet. */
  readonly passwordSet?: boolean;
}

/** Empty: all is well. */
export function needsAttention({ status, devices, sinks, serial, passwordSet }: AttentionFacts): Attention[] {
  const lines = serial?.lines.flatMap(ofLine) ?? [];
  const items = [...ofDisk(status), ...sinks.flatMap(ofSink), ...lines, ...ofDevices(devices), ...ofRecords(status)];
  if (passwordSet === false) items.push(NO_PASSWORD);
  return [...items.filter(({ tone }) => tone === "bad"), ...items.filter(({ tone }) => tone === "note")];
}

function ofDisk({ disk, outageHoursLeft }: StatusView): Attention[] {
  const settings = { href: hrefTo("settings"), action: "settings" };
  if (disk.full) {
    return [{ tone: "bad", text: "The spool is full: devices keep their data until there is room.", ...settings }];
  }
  if (outageHoursLeft === null || outageHoursLeft >= OUTAGE_HOURS_MIN) return [];
  return [{ tone: "bad", text: `Room for ${hoursText(outageHoursLeft)} of outage only.`, ...settings }];
}

function ofSink(sink: SinkView): Attention[] {
  const link = { href: hrefTo("sinks"), action: "sinks" };
  if (sink.backlog.orphaned) return [];
  const { words, tone } = sinkStateText(sink.state);
  if (tone === "bad") {
    const why = sink.lastError === null ? "" : `: ${sink.lastError.why}`;
    return [{ tone: "bad", text: `Sink ${sink.name} is ${words}${why}.`, ...link }];
  }
  const items: Attention[] = [];
  if (sink.state === "paused") items.push({ tone: "note", text: `Sink ${sink.name} is paused.`, ...link });
  else if (sink.backlog.ageMs > BACKLOG_AGE_MS) {
    items.push({ tone: "note", text: `Sink ${sink.name} is ${ageText(sink.backlog.ageMs)} behind.`, ...link });
  }
  if (sink.quarantinedCount > 0) {
    const text = `Sink ${sink.name} could not take ${plural(sink.quarantinedCount, "record")}.`;
    items.push({ tone: "note", text, ...link });
  }
  return items;
}

function ofLine({ problem }: SerialView["lines"][number]): Attention[] {
  if (problem === null) return [];
  return [
    { tone: "bad", text: `A serial line is not open: ${problem.why}.`, href: hrefTo("serial"), action: "serial" },
  ];
}

function ofDevices(devices: readonly DeviceView[]): Attention[] {
  const valid = devices.filter(({ revoked }) => !revoked);
  const offline = valid.filter(({ presence, lastSeen }) => presence === "offline" && lastSeen !== null);
  const silent = valid.filter(({ presence, lastSeen }) => presence === "offline" && lastSeen === null);
  const unsure = valid.filter(({ online, latest }) => online && latest.some(({ q }) => q === "uncertain"));
  const sick = valid.filter(({ online, latest }) => online && latest.some(({ q }) => q === "bad"));
  return [
    ...group(offline, (names) => `Offline: ${names}.`, "bad"),
    ...group(sick, (names) => `Bad readings from ${names}.`, "note"),
    ...group(unsure, (names) => `Clock not yet known: ${names}.`, "note"),
    ...group(silent, (names) => `Never connected: ${names}.`, "note"),
  ];
}

function group(devices: readonly DeviceView[], say: (names: string) => string, tone: Attention["tone"]): Attention[] {
  const [first] = devices;
  if (first === undefined) return [];
  const named = devices.slice(0, NAMES_MAX).map(({ id, name }) => (name === "" ? id : name));
  const more = devices.length - named.length;
  const text = say(more > 0 ? `${named.join(", ")} and ${countText(more)} more` : named.join(", "));
  const href = devices.length === 1 ? hrefTo("devices", [first.id]) : hrefTo("devices");
  return [{ tone, text, href, action: devices.length === 1 ? "device" : "devices" }];
}

function ofRecords({ gaps, conflicts, eventLoopDelayMs }: StatusView): Attention[] {
  const items: Attention[] = [];
  if (conflicts > 0) {
    const text = `${plural(conflicts, "message")} came twice with different content: look for a cloned device.`;
    items.push({ tone: "bad", text, href: hrefTo("logs"), action: "logs" });
  }
  if (gaps > 0) {
    const text = `${plural(gaps, "gap")}: something is missing for good, with the reason.`;
    items.push({ tone: "note", text, href: hrefTo("gaps"), action: "gaps" });
  }
  if (eventLoopDelayMs.p99 > LOOP_DELAY_MS) {
    const text = `The gateway is slow to answer (${Math.round(eventLoopDelayMs.p99)} ms): the machine is overloaded.`;
    items.push({ tone: "note", text, href: hrefTo("logs"), action: "logs" });
  }
  return items;
}
