/** Fetches the columns of several signals over one window, and keeps them up to date while it moves. */

import { type ChartColumns, type SignalTraits, type Span, toColumns } from "../charts/columns.js";
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
  /** In the order of the question. */
  readonly columns: readonly ChartColumns[];
}

/** Null until all are there. */
export function useSeries(refs: readonly SignalRef[], window: TimeWindow, isPaused: boolean): Polled<SeriesData> {
  const names = refs.map(({ device, signal }) => `${device}/${signal}`).join(" ");
  const key = `${names} ${window.fixed?.fromUnixMs ?? window.range} ${window.fixed?.toUnixMs ?? ""}`;
  return usePolled(key, isPaused ? 0 : window.refreshMs, () => fetchSeries(refs, window));
}

/** One fetch. @param pointsMax 1 … 5,000 */
export async function fetchSeries(
  refs: readonly SignalRef[],
  window: TimeWindow,
  pointsMax = POINTS_MAX,
): Promise<SeriesData> {
  const edges = edgesOf(window, Date.now() + state.value.clockOffsetMs);
  const histories = await Promise.all(
    refs.map(({ device, signal }) => askHistory(device, signal, { ...edges, pointsMax })),
  );
  const columns = histories.map((history, i) => toColumns(history, traitsOf(refs[i])));
  return { edges: { from: edges.fromUnixMs / 1000, to: edges.toUnixMs / 1000 }, columns };
}

const HOLDING_KINDS = new Set(["state", "setpoint", "event"]);

function traitsOf(ref: SignalRef | undefined): SignalTraits {
  const device = state.value.devices?.get(ref?.device ?? "");
  const signal = device?.signals.find(({ key }) => key === ref?.signal);
  const { options = [], deviceClass = "", kind = "" } = signal ?? {};
  return { options, deviceClass, holds: HOLDING_KINDS.has(kind) };
}
