/** Tables for people: columns as wide as they must be, the last one cut at the terminal's edge. Edge `cli`, pure. */
import type { Painter } from "./paint.js";
import { plain } from "./plain.js";

export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly right?: boolean;
}

/** A cell: its text, and how to paint it. */
export type Cell = string | { readonly text: string; readonly paint: Painter };

const GAP = "  ";

/** Narrowest the last column gets before lines wrap instead. */
const LAST_MIN = 8;

/** Lines of a table, each ended by a newline. Cells are made harmless for a terminal. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
  head: Painter,
): string {
  const texts = rows.map((row) => row.map((cell) => plain(typeof cell === "string" ? cell : cell.text)));
  const widths = columns.map((column, at) =>
    Math.max(charCount(column.title), ...texts.map((row) => charCount(row[at] ?? ""))),
  );
  const before = widths.slice(0, -1).reduce((sum, columnWidth) => sum + columnWidth + GAP.length, 0);
  const lastWidth = Math.max(LAST_MIN, width - before);
  const line = (cells: readonly string[], paints: readonly (Painter | null)[]): string =>
    cells
      .map((text, at) => {
        const isLast = at === columns.length - 1;
        const cut = isLast && charCount(text) > lastWidth ? `${[...text].slice(0, lastWidth - 1).join("")}…` : text;
        const pad = " ".repeat(Math.max(0, (widths[at] ?? 0) - charCount(cut)));
        const painted = paints[at]?.(cut) ?? cut;
        if (columns[at]?.right === true) return pad + painted;
        return isLast ? painted : painted + pad;
      })
      .join(GAP)
      .trimEnd();
  const lines = [
    line(
      columns.map((c) => c.title),
      columns.map(() => head),
    ),
  ];
  for (const [at, row] of texts.entries()) {
    lines.push(
      line(
        row,
        (rows[at] ?? []).map((cell) => (typeof cell === "string" ? null : cell.paint)),
      ),
    );
  }
  return `${lines.join("\n")}\n`;
}

/** Pairs of a label and a text, labels aligned. */
export function pairs(entries: readonly (readonly [string, string])[], label: Painter): string {
  const width = Math.max(0, ...entries.map(([name]) => charCount(name)));
  return entries
    .map(([name, text]) => `${label(name.padEnd(width))}  ${plain(text)}`.trimEnd())
    .join("\n")
    .concat("\n");
}

function charCount(text: string): number {
  return [...text].length;
}
