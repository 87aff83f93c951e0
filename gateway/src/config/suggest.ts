/** "Did you mean": the known word nearest to a misspelt one. Edge room `config`, pure. */

/** Edits beyond which a suggestion would only confuse. */
const EDITS_MAX = 3;

/** Words longer than this are not compared: nobody misspells a novel. */
const WORD_MAX = 64;

/** The nearest of `known`, or null when none is near. Case and underscores do not count. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > WORD_MAX) return null;
  const plain = plainWord(word);
  const ranked = known
    .map((candidate) => ({ candidate, edits: editCount(plain, plainWord(candidate)) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  const bound = Math.min(EDITS_MAX, Math.ceil(word.length / 3));
  return best !== undefined && best.edits <= bound ? best.candidate : null;
}

/** A word without case, `_` and `-`: `DATA_DIR` and `dataDir` are the same. */
export function plainWord(word: string): string {
  return word.toLowerCase().replaceAll(/[_-]/g, "");
}

/** Levenshtein's distance, one row at a time. */
function editCount(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replace = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
