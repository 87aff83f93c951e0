/**
 * A mutant: one small change to the delivery code, as somebody could make it on a bad day, and what must notice it.
 *
 *   find ─replace─▶ the product with a bug ─▶ tests of the room, or seeds of the world ─▶ caught, or it survived
 */
export interface Mutant {
  readonly name: string;
  /** Below the root of the repository. */
  readonly file: string;
  /** Found exactly once, or the mutant is out of date. */
  readonly find: string;
  readonly replace: string;
  /** Tests that are asked first, below the root; cheap ones, beside the source. */
  readonly tests: readonly string[];
  /** Seeds of the world that are run when no test notices; 0: none. */
  readonly seedsMax: number;
}

/** The text with the bug in it. Throws when the place is not there exactly once: the list must follow the code. */
export function mutated(mutant: Mutant, text: string): string {
  const count = text.split(mutant.find).length - 1;
  if (count !== 1) throw new Error(`${mutant.name}: "${mutant.find}" is ${count} times in ${mutant.file}`);
  return text.replace(mutant.find, () => mutant.replace);
}

/** Mutants of one file, which share the tests beside it. */
export function mutantsOf(
  file: string,
  tests: readonly string[],
  changes: readonly (readonly [name: string, find: string, replace: string, seedsMax?: number])[],
): Mutant[] {
  return changes.map(([name, find, replace, seedsMax = 0]) => ({ name, file, find, replace, tests, seedsMax }));
}
