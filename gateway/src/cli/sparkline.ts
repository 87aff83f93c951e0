/** Numbers as a line of blocks: `▁▂▃▅▇█`. Edge room `cli`, pure. */

const BLOCKS = "▁▂▃▄▅▆▇█";

/** One block per value, a space where there is none; a line without a slope lies in the middle. */
export function sparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const low = Math.min(...known);
  const width = Math.max(...known) - low;
  const top = BLOCKS.length - 1;
  return values
    .map((value) => {
      if (value === null) return " ";
      const at = width > 0 ? Math.round(((value - low) / width) * top) : Math.floor(top / 2);
      return BLOCKS[at] ?? " ";
    })
    .join("");
}
