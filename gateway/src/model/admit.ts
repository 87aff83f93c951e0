/**
 * The verdict on one reliable frame, over numbers alone.
 *
 *        accepted          seq − gap … seq
 *   ─────────●──────────────[ gap  ][seq]────▶
 *            expected = accepted + 1
 *
 * Used twice: by the session against the accepted mark (memory), and by the storage worker against the durable one.
 */

/** Taken: it is the next number, or its gap reaches back to the next one [P-2]. */
export const ACCEPT = 0;
/** At or below the mark: acked again, compared, not stored again [P-2]. */
export const DUPLICATE = 1;
/** Numbers are missing that nobody announced: Nack, the device rewinds [P-2]. */
export const MISSING = 2;
/** `gap ≥ seq`, or no number at all: the device breaks the protocol; Bye, nothing moves [P-2]. */
export const VIOLATION = 3;

/** What becomes of one numbered message. */
export type Verdict = typeof ACCEPT | typeof DUPLICATE | typeof MISSING | typeof VIOLATION;

/**
 * @param mark the highest number taken so far in this epoch; 0 when none.
 * @param seq the frame's number.
 * @param gap how many numbers directly below `seq` will never come.
 *
 * When it accepts and `seq − mark > 1`, the numbers `mark + 1 … seq − 1` become a gap entry, in the same transaction.
 */
export function admit(mark: number, seq: number, gap: number): Verdict {
  if (gap >= seq) return VIOLATION;
  if (seq <= mark) return DUPLICATE;
  return seq - gap <= mark + 1 ? ACCEPT : MISSING;
}
