/** How devices are ordered, and which of their values is worth a column. Pure. */
import type { DeviceView, ReadingView } from "../../src/admin/api-schemas.js";

export type DeviceColumn = "presence" | "name" | "value" | "lastSeen" | "model" | "firmware";

/** Those who need a look come first. */
const PRESENCE_ORDER = { offline: 0, sleeping: 1, online: 2 } as const;

/** A sorted copy; equal ones stay in the order of their ids. */
export function sortDevices(devices: readonly DeviceView[], column: DeviceColumn, isDown: boolean): DeviceView[] {
  const sign = isDown ? -1 : 1;
  return [...devices].sort((a, b) => sign * compare(a, b, column) || byText(a.id, b.id));
}

function compare(a: DeviceView, b: DeviceView, column: DeviceColumn): number {
  switch (column) {
    case "presence":
      return PRESENCE_ORDER[a.presence] - PRESENCE_ORDER[b.presence];
    case "name":
      return byText(a.name === "" ? a.id : a.name, b.name === "" ? b.id : b.name);
    case "value":
      return valueRank(primaryReading(a)) - valueRank(primaryReading(b));
    case "lastSeen":
      return Date.parse(a.lastSeen ?? "1970-01-01") - Date.parse(b.lastSeen ?? "1970-01-01");
    default:
      return byText(a[column], b[column]);
  }
}

const byText = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true, sensitivity: "base" });

/** Readings without a number come before all numbers. */
function valueRank(reading: ReadingView | null): number {
  return typeof reading?.v === "number" ? reading.v : Number.MIN_SAFE_INTEGER;
}

/** The first signal of the catalog that has a number, else the first value there is; null: none. */
export function primaryReading(device: DeviceView): ReadingView | null {
  const byKey = new Map(device.latest.map((reading) => [reading.signal, reading]));
  for (const { key } of device.signals) {
    const reading = byKey.get(key);
    if (typeof reading?.v === "number") return reading;
  }
  return device.latest.find(({ v }) => typeof v === "number") ?? device.latest[0] ?? null;
}
