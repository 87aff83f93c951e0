/**
 * Durations and sizes as people write them: `250ms 1s 90m 7d`, `64KiB 2GiB`. Edge room `config`, pure functions.
 *
 * A number without a unit is refused everywhere: nobody can tell afterwards whether 30 meant seconds.
 */

/** Longest duration a setting may hold, in ms: ten years of 365 days. Keeps sums exact and mistakes visible. */
export const DURATION_MS_MAX = 10 * 365 * 24 * 3_600_000;

/** Largest size a setting may hold, in bytes: 64 TiB. */
export const SIZE_BYTES_MAX = 64 * 1024 ** 4;

const MS_PER: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const BYTES_PER: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["KiB", 1024],
  ["MiB", 1024 ** 2],
  ["GiB", 1024 ** 3],
  ["TiB", 1024 ** 4],
]);

const AMOUNT = /^(\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{1,3})$/;

/** Milliseconds of a text such as `250ms`, `1s`, `90m`, `12h`, `7d`; null when it is none or past DURATION_MS_MAX. */
export function parseDuration(text: string): number | null {
  return parseAmount(text, MS_PER, DURATION_MS_MAX);
}

/** Bytes of a text such as `512B`, `64KiB`, `2GiB`; null when it is none or past SIZE_BYTES_MAX. */
export function parseSize(text: string): number | null {
  return parseAmount(text, BYTES_PER, SIZE_BYTES_MAX);
}

/** The shortest text that `parseDuration` reads back as the same number of ms. */
export function formatDuration(durationMs: number): string {
  return formatAmount(durationMs, MS_PER, "ms");
}

/** The shortest text that `parseSize` reads back as the same number of bytes. */
export function formatSize(bytes: number): string {
  return formatAmount(bytes, BYTES_PER, "B");
}

function parseAmount(text: string, factors: ReadonlyMap<string, number>, ceiling: number): number | null {
  const match = AMOUNT.exec(text.trim());
  const factor = factors.get(match?.[2] ?? "");
  if (match === null || factor === undefined) return null;
  const amount = Math.round(Number(match[1]) * factor);
  return amount <= ceiling ? amount : null;
}

function formatAmount(amount: number, factors: ReadonlyMap<string, number>, smallest: string): string {
  if (amount === 0) return `0${smallest}`;
  let text = `${amount}${smallest}`;
  for (const [unit, factor] of factors) {
    if (amount % factor === 0) text = `${amount / factor}${unit}`;
  }
  return text;
}
