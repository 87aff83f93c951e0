/** Quantities of the command line: `30s`, `1h`, `2000B/s`. Pure. */
import { usageError } from "./sim-error.js";

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const RATE_UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1_000, KiB: 1_024, MB: 1_000_000, MiB: 1_048_576 };
/** Beyond it no frame ever arrives. */
const SHARE_MAX = 0.2;
const DURATION_MS_MAX = 365 * 86_400_000;

/** `250ms 30s 5m 1h 7d` in ms. @throws SimError usage, naming the option */
export function parseDurationMs(option: string, text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const durationMs = Number(number) * (DURATION_UNITS_MS[unit] ?? Number.NaN);
  if (durationMs > 0 && durationMs <= DURATION_MS_MAX) return durationMs;
  throw usageError(`${option} "${text}" is no duration`, "write a number and its unit: 250ms, 30s, 5m, 1h, 7d");
}

/** `2000B/s 2kB/s 1MiB/s` in bytes per second. @throws SimError usage, naming the option */
export function parseBytesPerS(option: string, text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(B|kB|KiB|MB|MiB)\/s$/.exec(text) ?? [];
  const bytesPerS = Math.round(Number(number) * (RATE_UNITS[unit] ?? Number.NaN));
  if (bytesPerS >= 1) return bytesPerS;
  throw usageError(`${option} "${text}" is no speed`, "write a number and its unit: 2000B/s, 2kB/s");
}

/** A share of bytes, `0.1%`, as a number from 0 to 0.2. @throws SimError usage, naming the option */
export function parseShare(option: string, text: string): number {
  const [, number = ""] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const share = number === "" ? Number.NaN : Number(number) / 100;
  if (share <= SHARE_MAX) return share;
  throw usageError(`${option} "${text}" is no share`, "write a percentage up to 20%: 0.1%, 1%");
}

/** A number in its range. @throws SimError usage, naming the option */
export function parseNumber(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw usageError(`${option} "${text}" is not allowed`, `use a number from ${min} to ${max}`);
}

/** A whole number in its range. @throws SimError usage, naming the option */
export function parseWhole(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = parseNumber(option, text, { min, max });
  if (Number.isInteger(value)) return value;
  throw usageError(`${option} "${text}" is not allowed`, `use a whole number from ${min} to ${max}`);
}
