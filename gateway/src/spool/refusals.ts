/**
 * Batches follow one another to the store before the one in front is answered. When one is refused, the intake takes
 * back everything that is not durable; what was packed before it heard of that must not be stored either.
 *
 *   intake   ──1──2──┐        ┌──3── (packed when the refusal was known)
 *   store    1 refused, 2 behind, 3 stored
 */
import type { GatherBatch } from "../model/spool.js";

/** One per store that is open; the intake begins to count with it. */
export class Refusals {
  #count = 0;

  /** Was the batch packed before its intake knew of the latest refusal? */
  isBehind(batch: Pick<GatherBatch, "refusalsKnown">): boolean {
    return batch.refusalsKnown !== this.#count;
  }

  /** A batch was refused, and not for being behind. */
  add(): void {
    this.#count += 1;
  }
}
