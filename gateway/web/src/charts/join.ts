/** Several signals on one time axis. */
import uPlot from "uplot";
import type { ChartColumns } from "./columns.js";

/** x of all, then each signal's column, with low and high after it when it has them; gaps stay gaps. */
export function joinColumns(columns: readonly ChartColumns[]): uPlot.AlignedData {
  if (columns.length === 0) return [[]];
  const tables = columns.map(({ x, mid, low, high }): uPlot.AlignedData => {
    const band = low === null || high === null ? [] : [[...low], [...high]];
    return [[...x], [...mid], ...band];
  });
  return uPlot.join(tables);
}
