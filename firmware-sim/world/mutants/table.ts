/** The table of a run: each mutant, who caught it, and what that took. */
import type { Catch } from "./hunt.js";
import type { Mutant } from "./mutant.js";

const NAME_CHARS = 62;
const BY_CHARS = 90;

/** Survivors come first: they are what somebody has to look at. */
export function tableOf(tried: readonly { readonly mutant: Mutant; readonly found: Catch }[]): string[] {
  const rows = [...tried].sort((a, b) => Number(a.found.by !== null) - Number(b.found.by !== null));
  const head = `${"mutant".padEnd(NAME_CHARS)}  ${"s".padStart(4)}  caught by`;
  return ["", head, ...rows.map(({ mutant, found }) => rowOf(mutant, found)), ""];
}

function rowOf({ name }: Mutant, { by, tookMs }: Catch): string {
  const seconds = (tookMs / 1_000).toFixed(0).padStart(4);
  return `${name.padEnd(NAME_CHARS)}  ${seconds}  ${(by ?? "NOBODY").slice(0, BY_CHARS)}`;
}
