/** Columns as comma-separated values that spreadsheets open without harm. Pure but for `download`. */
import type { ChartColumns } from "./columns.js";

/** A cell that a spreadsheet would run as a formula is made text; quotes, commas and line ends are quoted. */
export function csvCell(value: string): string {
  const isNumber = value !== "" && Number.isFinite(Number(value));
  const safe = !isNumber && /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** One line per instant and signal: `time,device,signal,unit,value[,min,max]`; gaps are empty cells. */
export function toCsv(parts: readonly { device: string; signal: string; columns: ChartColumns }[]): string {
  const lines = ["time,device,signal,unit,value,min,max"];
  for (const { device, signal, columns } of parts) {
    const { x, mid, low, high, labels, unit } = columns;
    for (const [i, at] of x.entries()) {
      const value = mid[i] ?? null;
      const word = value === null ? "" : labels === null ? String(value) : (labels[value] ?? "");
      const cells = [new Date(at * 1000).toISOString(), device, signal, unit, word, cell(low?.[i]), cell(high?.[i])];
      lines.push(cells.map(csvCell).join(","));
    }
  }
  return `${lines.join("\r\n")}\r\n`;
}

const cell = (value: number | null | undefined): string => (value === null || value === undefined ? "" : String(value));

/** Hand a text to the browser as a file. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
