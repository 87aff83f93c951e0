/**
 * What the dashboard knows, and how a message of the live feed changes it. Pure: (state, message) → state; whatever
 * did not change keeps its identity, so that only its own row is drawn again.
 */
import type { CommandView, DeviceView, ReadingView, StatusView } from "../../../src/admin/api-schemas.js";
import type { LiveMessage, PresenceChange } from "../../../src/admin/live-messages.js";
import type { LiveEvent } from "../../../src/model/spool.js";

/** Commands kept for showing; older ones are in the API. */
const COMMANDS_MAX = 100;
/** Rates kept for the sparkline: five minutes at a status every 2 s. */
const RATES_MAX = 150;

const NOTES_MAX = 500;

/** A line of a device's own log. */
export interface DeviceNote {
  /** Record id. */
  readonly id: number;
  readonly device: string;
  readonly receivedUnixMs: number;
  /** Severity as in RFC 5424: 0 emergency … 7 debug. */
  readonly level: number;
  readonly text: string;
}

export type Connection = "connecting" | "live" | "lost";

export interface LiveState {
  readonly connection: Connection;
  readonly gateway: string;
  readonly version: string;
  /** Null until the list was fetched once. */
  readonly devices: ReadonlyMap<string, DeviceView> | null;
  readonly commands: ReadonlyMap<string, CommandView>;
  readonly status: StatusView | null;
  /** Records acked a second, from the last two statuses; null before the second one. */
  readonly ackedPerSecond: number | null;
  /** The rates before it, oldest first; null where the gateway was not heard or had restarted. */
  readonly rates: readonly (number | null)[];
  /** What devices wrote into their log since this page was opened, oldest first. */
  readonly notes: readonly DeviceNote[];
  /** The feed left events out since the last complete fetch. */
  readonly conflated: boolean;
  /** Gateway's clock minus this browser's, in ms: ages are counted on the gateway's clock. */
  readonly clockOffsetMs: number;
  /** Browser time of the last message. */
  readonly heardUnixMs: number;
}

export const EMPTY: LiveState = {
  connection: "connecting",
  gateway: "",
  version: "",
  devices: null,
  commands: new Map(),
  status: null,
  ackedPerSecond: null,
  rates: [],
  notes: [],
  conflated: false,
  clockOffsetMs: 0,
  heardUnixMs: 0,
};

/** The state after a message of the feed; `nowUnixMs` is browser time. */
export function applyMessage(state: LiveState, message: LiveMessage, nowUnixMs: number): LiveState {
  const heard = { ...state, heardUnixMs: nowUnixMs };
  switch (message.type) {
    case "hello":
      return { ...heard, connection: "live", gateway: message.gateway, version: message.version };
    case "events": {
      const events = message.events.flatMap(({ device, readings }) =>
        readings === undefined ? [] : [{ device, readings }],
      );
      const notes = message.events.flatMap(noteOf);
      const kept = notes.length === 0 ? state.notes : [...state.notes, ...notes].slice(-NOTES_MAX);
      return { ...withReadings(heard, events), notes: kept, conflated: state.conflated || message.conflated === true };
    }
    case "latest":
      return { ...withReadings(heard, message.devices), conflated: true };
    case "presence":
      return withPresence(heard, message.devices);
    case "commands":
      return { ...heard, commands: withCommands(state.commands, message.commands) };
    case "status": {
      const rate = ackedRate(state.status, message.status);
      const rates = state.status === null ? state.rates : [...state.rates, rate].slice(-RATES_MAX);
      return { ...heard, status: message.status, ackedPerSecond: rate, rates };
    }
    case "beat":
      return { ...heard, clockOffsetMs: message.unixMs - nowUnixMs };
  }
}

/** What the gateway kept of the rates from before this page, put in front of those it has seen itself. */
export function withPastRates(state: LiveState, past: readonly number[]): LiveState {
  // What was seen here meanwhile is the end of what the gateway kept.
  const before = past.slice(0, Math.max(0, past.length - state.rates.length));
  return { ...state, rates: [...before, ...state.rates].slice(-RATES_MAX) };
}

/** The complete list, freshly fetched. Values the feed brought meanwhile win when they are newer. */
export function withDevices(state: LiveState, fetched: readonly DeviceView[]): LiveState {
  const devices = new Map<string, DeviceView>();
  for (const device of fetched) {
    const held = state.devices?.get(device.id);
    devices.set(device.id, held === undefined ? device : { ...device, latest: merged(device.latest, held.latest) });
  }
  return { ...state, devices, conflated: false };
}

/** Commands with the changed ones put in; never an older state over a newer one. */
export function withCommands(
  held: ReadonlyMap<string, CommandView>,
  changed: readonly CommandView[],
): ReadonlyMap<string, CommandView> {
  const commands = new Map(held);
  for (const command of changed) {
    const known = commands.get(command.commandId);
    if (known === undefined || known.updatedAt <= command.updatedAt) commands.set(command.commandId, command);
  }
  const newest = [...commands.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, COMMANDS_MAX);
  return new Map(newest.map((command) => [command.commandId, command]));
}

function noteOf(event: LiveEvent): DeviceNote[] {
  if (event.kind !== "log" || typeof event.detail !== "object" || event.detail === null) return [];
  const { id, device, receivedUnixMs } = event;
  const text = "text" in event.detail ? String(event.detail.text) : "";
  const level = "level" in event.detail ? Number(event.detail.level) : 6;
  return [{ id, device, receivedUnixMs, level, text }];
}

interface DeviceReadings {
  readonly device: string;
  readonly readings: readonly ReadingView[];
}

function withReadings(state: LiveState, changes: readonly DeviceReadings[]): LiveState {
  if (state.devices === null || changes.length === 0) return state;
  const devices = new Map(state.devices);
  for (const { device, readings } of changes) {
    const held = devices.get(device);
    if (held !== undefined) devices.set(device, { ...held, latest: merged(held.latest, readings) });
  }
  return { ...state, devices };
}

/** The newer reading of each signal, in the order the signals were first seen. */
function merged(held: readonly ReadingView[], news: readonly ReadingView[]): ReadingView[] {
  const bySignal = new Map(held.map((reading) => [reading.signal, reading]));
  for (const reading of news) {
    const known = bySignal.get(reading.signal);
    if (known === undefined || known.t <= reading.t) bySignal.set(reading.signal, reading);
  }
  return [...bySignal.values()];
}

function withPresence(state: LiveState, changes: readonly PresenceChange[]): LiveState {
  if (state.devices === null) return state;
  const devices = new Map(state.devices);
  for (const { device, ...now } of changes) {
    const held = devices.get(device);
    if (held !== undefined) devices.set(device, { ...held, ...now, lastSeen: now.lastSeen ?? held.lastSeen });
  }
  return { ...state, devices };
}

function ackedRate(before: StatusView | null, now: StatusView): number | null {
  const spanMs = before === null ? 0 : now.uptimeMs - before.uptimeMs;
  if (before === null || spanMs <= 0 || now.acked < before.acked) return null;
  return ((now.acked - before.acked) * 1000) / spanMs;
}
