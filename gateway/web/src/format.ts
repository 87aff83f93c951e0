/** How numbers, ages and sizes look to people. Pure. */
import type { ReadingView } from "../../src/admin/api-schemas.js";

/** A value as a table cell shows it: three decimals, or four significant digits below one. */
export function valueText(v: ReadingView["v"]): string {
  if (v === null) return "–";
  if (typeof v === "boolean") return v ? "on" : "off";
  if (typeof v === "string") return v;
  if (Number.isInteger(v)) return String(v);
  return String(Number(Math.abs(v) < 1 ? v.toPrecision(4) : v.toFixed(3)));
}

/** A figure of a chart, which may be a mean: no more digits than are worth reading. */
export function figureText(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return valueText(size >= 100 ? Number(value.toFixed(1)) : size >= 10 ? Number(value.toFixed(2)) : value);
}

/** How long ago, in the largest unit that fits: `now`, `5 s`, `3 min`, `2 h`, `4 d`. */
export function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.round(ageMs / 1000));
  if (seconds < 2) return "now";
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** How long until something, as `ageText`: `now`, `in 5 s`, `in 3 min`. */
export function untilText(waitMs: number): string {
  const text = ageText(waitMs);
  return text === "now" ? text : `in ${text}`;
}

/** A size in binary units: `977 KiB`, `2.0 GiB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** Hours as people plan with them: hours up to three days, then days. */
export function hoursText(hours: number): string {
  return hours < 72 ? `${Math.floor(hours)} h` : `${countText(Math.floor(hours / 24))} d`;
}

/** 1234567 → `1,234,567`; rates below ten keep one decimal. */
export function countText(count: number): string {
  if (count !== 0 && Math.abs(count) < 10 && !Number.isInteger(count)) return count.toFixed(1);
  return Math.round(count).toLocaleString("en-US");
}

/** An instant in the browser's zone and language; `never` for null. */
export function timeText(iso: string | null): string {
  return iso === null ? "never" : new Date(iso).toLocaleString();
}
