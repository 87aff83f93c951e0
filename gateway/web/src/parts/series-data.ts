/** Fetches the columns of several signals over one window, and keeps them up to date while it moves. */

import { problemText } from "../api.js";
import { type ChartColumns, fromEdge, type SignalTraits, type Span, toColumns } from "../charts/columns.js";
import { edgesOf, type TimeWindow } from "../charts/time-window.js";
import { state } from "../store/gateway-store.js";
import { askHistory } from "../store/history-store.js";
import { type Polled, usePolled } from "../store/polled.js";

/** About one point a pixel on a wide screen: more cannot be seen. */
const POINTS_MAX = 800;

export interface SignalRef {
  readonly device: string;
  readonly signal: string;
}

export interface SeriesData {
  readonly edges: Span;
  /** In the order of the question; empty columns for a signal whose question failed. */
  readonly columns: readonly ChartColumns[];
  /** Why signals failed, while others did not; empty when none did. */
  readonly problem: string;
}

/** Null until all are there. */
export function useSeries(refs: readonly SignalRef[], window: TimeWindow, isPaused: boolean): Polled<SeriesData> {
  const names = refs.map(({ device, signal }) => `${device}/${signal}`).join(" ");
  const key = `${names} ${window.fixed?.fromUnixMs ?? window.range} ${window.fixed?.toUnixMs ?? ""}`;
  return usePolled(key, isPaused ? 0 : window.refreshMs, () => fetchSeries(refs, window, { pointsMax: POINTS_MAX }));
}

interface SeriesOptions {
  /** 1 … 5,000. */
  readonly pointsMax: number;
  /** Readings alone, without the point at the left edge that no device sent. */
  readonly asSent?: boolean;
}

/** One fetch. Rejects when all signals failed. */
export async function fetchSeries(
  refs: readonly SignalRef[],
  window: TimeWindow,
  { pointsMax, asSent = false }: SeriesOptions,
): Promise<SeriesData> {
  const edges = edgesOf(window, Date.now() + state.value.clockOffsetMs);
  const answers = await Promise.allSettled(
    refs.map(({ device, signal }) => askHistory(device, signal, { ...edges, pointsMax })),
  );
  const fromS = edges.fromUnixMs / 1000;
  const columns = answers.map((answer, i) => {
    if (answer.status === "rejected") return NOTHING;
    const found = toColumns(answer.value, traitsOf(refs[i]));
    return asSent ? found : fromEdge(found, answer.value.before, fromS);
  });
  return { edges: { from: fromS, to: edges.toUnixMs / 1000 }, columns, problem: problemOf(refs, answers) };
}

const NOTHING: ChartColumns = { x: [], mid: [], low: null, high: null, labels: null, unit: "", holds: false };

/** One signal that fails does not take the others with it. @throws what they all failed with */
function problemOf(refs: readonly SignalRef[], answers: readonly PromiseSettledResult<unknown>[]): string {
  const failed = answers.flatMap((answer, i) => (answer.status === "rejected" ? [{ ref: refs[i], answer }] : []));
  const [first] = failed;
  if (first === undefined) return "";
  if (failed.length === answers.length) throw first.answer.reason;
  const names = failed.map(({ ref }) => `${ref?.device} ${ref?.signal}`).join(", ");
  return `Not shown: ${names}. ${problemText(first.answer.reason)}`;
}

const HOLDING_KINDS = new Set(["state", "setpoint", "event"]);

function traitsOf(ref: SignalRef | undefined): SignalTraits {
  const device = state.value.devices?.get(ref?.device ?? "");
  const signal = device?.signals.find(({ key }) => key === ref?.signal);
  const { options = [], deviceClass = "", kind = "" } = signal ?? {};
  return { options, deviceClass, holds: HOLDING_KINDS.has(kind) };
}
