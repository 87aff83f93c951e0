/** A history for tests of the dashboard: a daily wave with a hole in it, raw when the range is short, else in buckets. */
import type { HistoryColumns, HistoryQuery } from "../admin-host.js";

const RAW_MS = 1000;
const RAW_SPAN_MS_MAX = 600_000;
const DAY_MS = 86_400_000;

/** The hole is in the third fifth of the range. */
export function waveHistory({ signal, fromUnixMs, toUnixMs, pointsMax }: HistoryQuery): HistoryColumns {
  const spanMs = toUnixMs - fromUnixMs;
  const isRaw = spanMs <= RAW_SPAN_MS_MAX;
  const stepMs = Math.max(RAW_MS, Math.ceil(spanMs / pointsMax));
  const t: number[] = [];
  for (let at = Math.ceil(fromUnixMs / stepMs) * stepMs; at < toUnixMs; at += stepMs) t.push(at);
  const isHole = (at: number): boolean => at > fromUnixMs + spanMs * 0.4 && at < fromUnixMs + spanMs * 0.6;
  const phase = (at: number, count: number): number => Math.floor(((at - fromUnixMs) / spanMs) * 17) % count;
  const ofState = (v: (string | boolean)[]): HistoryColumns => ({ unit: "", bucketMs: null, t, v });
  if (signal === "door") return ofState(t.map((at) => (phase(at, 3) === 0 ? "open" : "closed")));
  if (signal === "pump") return ofState(t.map((at) => phase(at, 4) === 1));
  if (signal === "mode") return ofState(t.map((at) => ["eco", "heat", "off"][phase(at, 3)] ?? "eco"));
  const avg = t.map((at) => (isHole(at) ? null : 20 + 5 * Math.sin((at / DAY_MS) * 2 * Math.PI)));
  if (isRaw) return { unit: "°C", bucketMs: null, t, v: avg };
  const shifted = (by: number) => avg.map((value) => (value === null ? null : value + by));
  return { unit: "°C", bucketMs: stepMs, t, min: shifted(-1.6), avg, max: shifted(1.2) };
}
