/** Times, sizes and counts for people. Edge room `cli`, pure. */

const STEPS: readonly (readonly [number, string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** A length of time in its largest unit: `3 s`, `12 min`, `5 h`, `2 d`; `40 ms` below a second. */
export function span(durationMs: number): string {
  for (const [unitMs, unit] of STEPS) {
    if (durationMs >= unitMs) return `${Math.floor(durationMs / unitMs)} ${unit}`;
  }
  return `${Math.max(0, Math.round(durationMs))} ms`;
}

/** An ISO instant from now: `now`, `3 s ago`, `in 5 min`; `never` for null. Clocks of two machines differ a little. */
export function ago(iso: string | null | undefined, nowUnixMs: number): string {
  const at = iso === null || iso === undefined ? Number.NaN : Date.parse(iso);
  if (Number.isNaN(at)) return "never";
  const elapsedMs = nowUnixMs - at;
  if (Math.abs(elapsedMs) < 1_000) return "now";
  return elapsedMs > 0 ? `${span(elapsedMs)} ago` : `in ${span(-elapsedMs)}`;
}

/** Bytes in the largest binary unit, three digits at most: `512 B`, `1.5 MiB`, `31 GiB`. */
export function bytes(count: number): string {
  let amount = count;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (amount < 1024) return `${amount < 10 && unit !== "B" ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
    amount /= 1024;
  }
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} TiB`;
}

/** A count with thin groups of three: `1 234 567`. */
export function grouped(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}

/** Milliseconds a person waited: `3 ms`, `41 ms`, `1.2 s`. */
export function waited(elapsedMs: number): string {
  return elapsedMs < 1_000 ? `${Math.round(elapsedMs)} ms` : `${(elapsedMs / 1_000).toFixed(1)} s`;
}
