/** Several signals on one time axis. */
import uPlot from "uplot";
import type { ChartColumns } from "./columns.js";

/** uPlot's word for: an instant that only another signal has lies in the gap, too, when it is next to one. */
const GAP_REACHES_NEIGHBOURS = 2;

/** x of all, then each signal's column, with low and high after it when it has them; gaps stay gaps. */
export function joinColumns(columns: readonly ChartColumns[]): uPlot.AlignedData {
  if (columns.length === 0) return [[]];
  const tables = columns.map(({ x, mid, low, high }): uPlot.AlignedData => {
    const band = low === null || high === null ? [] : [[...low], [...high]];
    return [[...x], [...mid], ...band];
  });
  return uPlot.join(
    tables,
    tables.map((table) => table.map(() => GAP_REACHES_NEIGHBOURS)),
  );
}
