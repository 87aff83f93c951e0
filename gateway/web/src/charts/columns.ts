/**
 * From the columns of the history API to the columns that a chart draws. Pure.
 *
 *   raw      t v            ──▶ x mid                 bool → 0 | 1, text → place in `labels`
 *   buckets  t min avg max  ──▶ x mid low high
 *
 * x is in Unix seconds, as uPlot wants it; null is a gap.
 */
import type { HistoryView } from "../api.js";
import { booleanWords } from "../words.js";

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
  /** Drawn in steps. */
  readonly holds: boolean;
}

/** Distinct texts that a chart tells apart; the rest share the last line. */
const LABELS_MAX = 12;

/** What the catalog says of a signal that its values do not. */
export interface SignalTraits {
  /** The words of an enumeration, in order; empty: in the order they appear. */
  readonly options: readonly string[];
  /** Home Assistant's class: what a boolean means. */
  readonly deviceClass: string;
  /** It keeps its value until it says another: drawn in steps, and held up to now. */
  readonly holds: boolean;
}

const NO_TRAITS: SignalTraits = { options: [], deviceClass: "", holds: false };

/** The columns of one signal. */
export function toColumns(history: HistoryView, traits: SignalTraits = NO_TRAITS): ChartColumns {
  const { options, deviceClass, holds } = traits;
  const x = history.t.map((ms) => ms / 1000);
  const unit = history.unit ?? "";
  if (history.avg !== undefined) {
    return { x, mid: history.avg, low: history.min ?? null, high: history.max ?? null, labels: null, unit, holds };
  }
  const values = history.v ?? [];
  const known = history.before === undefined || history.before === null ? values : [history.before.v, ...values];
  const isBoolean = known.some((value) => typeof value === "boolean");
  const isText = known.some((value) => typeof value === "string");
  if (!isBoolean && !isText) {
    const mid = values.map((value) => (typeof value === "number" ? value : null));
    return { x, mid, low: null, high: null, labels: null, unit, holds };
  }
  const labels = isText ? labelsOf(known, options) : [...booleanWords(deviceClass)];
  const mid = values.map((value) => {
    if (typeof value === "boolean") return Number(value);
    if (typeof value !== "string") return value;
    const at = labels.indexOf(value);
    return at < 0 ? labels.length - 1 : at;
  });
  return { x, mid, low: null, high: null, labels, unit, holds: true };
}

function labelsOf(values: readonly unknown[], options: readonly string[]): string[] {
  const seen = new Set(options);
  for (const value of values) if (typeof value === "string") seen.add(value);
  const all = [...seen];
  return all.length <= LABELS_MAX ? all : [...all.slice(0, LABELS_MAX - 1), "…"];
}

/** A held value reaches up to `untilS`: nothing new was said, so it still is what it was. Raw values only. */
export function heldUntil(columns: ChartColumns, untilS: number): ChartColumns {
  const { x, mid, low, holds } = columns;
  const last = mid.at(-1) ?? null;
  if (!holds || low !== null || last === null || (x.at(-1) ?? untilS) >= untilS) return columns;
  return { ...columns, x: [...x, untilS], mid: [...mid, last] };
}

/** So many intervals without a reading are a gap, and not a line that begins outside. */
const EDGE_INTERVALS_MAX = 2.5;

/**
 * The value at the left edge, out of the newest reading before it: a held one still is what it was; between two
 * measurements lies a line, unless the time between them is far longer than usual. Readings only.
 */
export function fromEdge(columns: ChartColumns, before: HistoryView["before"], fromS: number): ChartColumns {
  const { x, mid, low, holds, labels } = columns;
  const first = x[0] ?? Number.POSITIVE_INFINITY;
  if (before === undefined || before === null || low !== null || first <= fromS) return columns;
  const value = cellOf(before.v, labels);
  if (value === null) return columns;
  if (holds) return { ...columns, x: [fromS, ...x], mid: [value, ...mid] };
  const next = mid[0] ?? null;
  const beforeS = before.t / 1000;
  if (next === null || first - beforeS > EDGE_INTERVALS_MAX * usualInterval(x)) return columns;
  const share = (fromS - beforeS) / (first - beforeS);
  return { ...columns, x: [fromS, ...x], mid: [value + (next - value) * share, ...mid] };
}

/** The middle one; with fewer than two nothing can be called usual. */
function usualInterval(x: readonly number[]): number {
  const intervals = x.slice(1).map((at, i) => at - (x[i] ?? 0));
  return intervals.sort((a, b) => a - b)[intervals.length >> 1] ?? Number.POSITIVE_INFINITY;
}

function cellOf(value: number | string | boolean, labels: readonly string[] | null): Cell {
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") return value;
  const at = labels?.indexOf(value) ?? -1;
  return at < 0 ? null : at;
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
