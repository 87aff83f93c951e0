/**
 * Which signals Explore shows, as its address says it. Pure.
 *
 *   #/explore?signals=attic-7/temperature,bed-1/humidity&range=1d
 *
 * Two axes at most: the first unit is on the left, the second on the right, a third is refused.
 */
import type { SignalRef } from "./parts/series-data.js";

export const SIGNALS_MAX = 8;
const UNITS_MAX = 2;

/** The signals of an address; what is no `device/signal` is left out. */
export function parseSignals(text: string): SignalRef[] {
  const refs = text.split(",").flatMap((part) => {
    const at = part.indexOf("/");
    return at <= 0 || at === part.length - 1 ? [] : [{ device: part.slice(0, at), signal: part.slice(at + 1) }];
  });
  const seen = new Set<string>();
  return refs
    .filter(({ device, signal }) => !seen.has(`${device}/${signal}`) && seen.add(`${device}/${signal}`))
    .slice(0, SIGNALS_MAX);
}

/** The address of signals. Ids and keys have no comma and no slash. */
export function signalsText(refs: readonly SignalRef[]): string {
  return refs.map(({ device, signal }) => `${device}/${signal}`).join(",");
}

/** Why a signal of that unit cannot be added; empty: it can. */
export function whyNot(units: readonly string[], unit: string): string {
  if (units.length >= SIGNALS_MAX) return `${SIGNALS_MAX} signals are shown already; remove one first.`;
  const distinct = new Set([...units, unit]);
  if (distinct.size <= UNITS_MAX) return "";
  return `Two axes are taken by ${[...new Set(units)].map(unitName).join(" and ")}; remove one first.`;
}

/** The axis of each signal, by its unit. */
export function axesOf(units: readonly string[]): ("y" | "y2")[] {
  const [left] = units;
  return units.map((unit) => (unit === left ? "y" : "y2"));
}

/** A unit as a word. */
export function unitName(unit: string): string {
  return unit === "" ? "no unit" : unit;
}
