/**
 * From the columns of the history API to the columns that a chart draws. Pure.
 *
 *   raw      t v            ──▶ x mid                 bool → 0 | 1, text → place in `labels`
 *   buckets  t min avg max  ──▶ x mid low high
 *
 * x is in Unix seconds, as uPlot wants it; null is a gap.
 */
import type { HistoryView } from "../api.js";

type Cell = number | null;

/** A stretch of time in Unix seconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface ChartColumns {
  readonly x: readonly number[];
  readonly mid: readonly Cell[];
  /** The band around `mid`; null for raw values. */
  readonly low: readonly Cell[] | null;
  readonly high: readonly Cell[] | null;
  /** Words for 0, 1, 2 …; null for numbers. */
  readonly labels: readonly string[] | null;
  readonly unit: string;
}

/** Distinct texts that a chart tells apart; the rest share the last line. */
const LABELS_MAX = 12;

/** The values that a sparkline draws. */
export function columnValues(history: HistoryView): readonly Cell[] {
  return toColumns(history, []).mid;
}

/** @param options the words of an enumeration in the order of the catalog; empty: in the order they appear */
export function toColumns(history: HistoryView, options: readonly string[]): ChartColumns {
  const x = history.t.map((ms) => ms / 1000);
  const unit = history.unit ?? "";
  if (history.avg !== undefined) {
    return { x, mid: history.avg, low: history.min ?? null, high: history.max ?? null, labels: null, unit };
  }
  const values = history.v ?? [];
  const isBoolean = values.some((value) => typeof value === "boolean");
  const isText = values.some((value) => typeof value === "string");
  if (!isBoolean && !isText) {
    const mid = values.map((value) => (typeof value === "number" ? value : null));
    return { x, mid, low: null, high: null, labels: null, unit };
  }
  const labels = isText ? labelsOf(values, options) : ["off", "on"];
  const mid = values.map((value) => {
    if (typeof value === "boolean") return Number(value);
    if (typeof value !== "string") return value;
    const at = labels.indexOf(value);
    return at < 0 ? labels.length - 1 : at;
  });
  return { x, mid, low: null, high: null, labels, unit };
}

function labelsOf(values: readonly unknown[], options: readonly string[]): string[] {
  const seen = new Set(options);
  for (const value of values) if (typeof value === "string") seen.add(value);
  const all = [...seen];
  return all.length <= LABELS_MAX ? all : [...all.slice(0, LABELS_MAX - 1), "…"];
}

/** Where values are missing between values: from the last one before to the first one after. */
export function gapSpans(x: readonly number[], mid: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  let lastKnown: number | null = null;
  let isOpen = false;
  for (const [i, at] of x.entries()) {
    if ((mid[i] ?? null) === null) {
      isOpen = lastKnown !== null;
      continue;
    }
    if (isOpen && lastKnown !== null) spans.push({ from: lastKnown, to: at });
    lastKnown = at;
    isOpen = false;
  }
  return spans;
}

/** When the device was not online, out of its changes of presence, as far as they are known. */
export function offlineSpans(
  changes: readonly { readonly at: string; readonly presence: string }[],
  toUnixMs: number,
): Span[] {
  const spans: Span[] = [];
  let offlineSince: number | null = null;
  for (const { at, presence } of changes) {
    const seconds = Date.parse(at) / 1000;
    if (presence === "offline") offlineSince ??= seconds;
    else if (offlineSince !== null) {
      spans.push({ from: offlineSince, to: seconds });
      offlineSince = null;
    }
  }
  if (offlineSince !== null) spans.push({ from: offlineSince, to: toUnixMs / 1000 });
  return spans;
}

export interface Extent {
  readonly low: number;
  readonly high: number;
  readonly last: number;
}

/** Lowest, highest and newest number; null: there is none. */
export function extentOf({ mid, low, high }: ChartColumns): Extent | null {
  const known = (cells: readonly Cell[]): number[] => cells.filter((cell): cell is number => cell !== null);
  const last = known(mid).at(-1);
  if (last === undefined) return null;
  return {
    low: known(low ?? mid).reduce((a, b) => Math.min(a, b), last),
    high: known(high ?? mid).reduce((a, b) => Math.max(a, b), last),
    last,
  };
}
