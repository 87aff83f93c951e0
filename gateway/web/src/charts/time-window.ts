/**
 * Which stretch of time charts show: the last so-much, moving on, or a fixed one that somebody zoomed into. Pure.
 *
 *   range=1h                the last hour, fetched again as it moves
 *   from=…&to=…             fixed, Unix ms
 */
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** What can be picked, by its name in the address. */
export const RANGES: readonly (readonly [name: string, label: string, spanMs: number])[] = [
  ["5m", "5 min", 5 * MINUTE_MS],
  ["1h", "1 h", HOUR_MS],
  ["6h", "6 h", 6 * HOUR_MS],
  ["1d", "24 h", DAY_MS],
  ["7d", "7 d", 7 * DAY_MS],
  ["30d", "30 d", 30 * DAY_MS],
];
const RANGE_DEFAULT = "1h";
/** A narrower zoom shows nothing more. */
const SPAN_MS_MIN = 1000;
const REFRESH_MS_MIN = 5000;
const REFRESH_MS_MAX = 5 * MINUTE_MS;
/** So many steps does a chart move on while its whole range goes by. */
const REFRESH_STEPS = 240;

export interface TimeWindow {
  /** Name of the range; empty for a fixed stretch. */
  readonly range: string;
  readonly spanMs: number;
  /** Null: moves with the clock. */
  readonly fixed: { readonly fromUnixMs: number; readonly toUnixMs: number } | null;
  /** How often it is fetched again; 0: never. */
  readonly refreshMs: number;
}

/** The window that a query names; the last hour when it names none that can be shown. */
export function parseWindow(query: URLSearchParams): TimeWindow {
  const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
  if (Number.isFinite(from) && Number.isFinite(to) && from > 0 && to - from >= SPAN_MS_MIN) {
    return { range: "", spanMs: to - from, fixed: { fromUnixMs: from, toUnixMs: to }, refreshMs: 0 };
  }
  const wanted = query.get("range") ?? RANGE_DEFAULT;
  const range = RANGES.some(([name]) => name === wanted) ? wanted : RANGE_DEFAULT;
  const spanMs = RANGES.find(([name]) => name === range)?.[2] ?? HOUR_MS;
  const refreshMs = Math.min(REFRESH_MS_MAX, Math.max(REFRESH_MS_MIN, spanMs / REFRESH_STEPS));
  return { range, spanMs, fixed: null, refreshMs };
}

/** The query of a fixed stretch, given in Unix seconds. */
export function zoomQuery(fromS: number, toS: number): Record<string, string> {
  return { from: String(Math.round(fromS * 1000)), to: String(Math.round(toS * 1000)) };
}

/** The stretch to ask for now. */
export function edgesOf(window: TimeWindow, nowUnixMs: number): { fromUnixMs: number; toUnixMs: number } {
  return window.fixed ?? { fromUnixMs: nowUnixMs - window.spanMs, toUnixMs: nowUnixMs };
}
