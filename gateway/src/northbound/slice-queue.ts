/**
 * Rendered slices waiting to be sent, and the fetching of the next ones while the first are on their way.
 *
 *   reader ──rendered(after)──▶ [ slice · slice ] ──next record──▶ pump
 *
 * Bounded: at most two slices, and no further one is asked for while `bytesMax` rendered bytes wait. Starting over
 * from another record forgets everything, including an answer that is still under way.
 */
import type { RenderedSlice, SpoolReader } from "../model/spool.js";

const SLICES_MAX = 2;

export interface SliceQueueOptions {
  readonly reader: Pick<SpoolReader, "rendered">;
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** A slice arrived: there may be something to send. */
  readonly onSlice: () => void;
  /** The reader failed; the queue stays as it was. */
  readonly onError: (error: unknown) => void;
}

/** One per sink. Between `clear` and `startAfter` it fetches nothing. */
export class SliceQueue {
  readonly #slices: RenderedSlice[] = [];
  readonly #options: SliceQueueOptions;
  /** Index of the next record in the first slice. */
  #next = 0;
  #waitingBytes = 0;
  #scannedToId = 0;
  #mayHaveMore = false;
  /** Between `startAfter` and `clear`; nothing is fetched outside, or the place in the spool would be lost. */
  #isActive = false;
  #generation = 0;
  #isFetching = false;

  constructor(options: SliceQueueOptions) {
    this.#options = options;
  }

  /** Every record up to this id was fetched. */
  get scannedToId(): number {
    return this.#scannedToId;
  }

  /** Begin after `recordId`, as if nothing had been fetched. */
  startAfter(recordId: number): void {
    this.clear();
    this.#scannedToId = recordId;
    this.#mayHaveMore = true;
    this.#isActive = true;
  }

  /** Forget everything; nothing is fetched until `startAfter`. */
  clear(): void {
    this.#generation += 1;
    this.#isFetching = false;
    this.#slices.length = 0;
    this.#next = 0;
    this.#waitingBytes = 0;
    this.#mayHaveMore = false;
    this.#isActive = false;
  }

  /** The spool holds something after what was fetched. */
  expectMore(): void {
    this.#mayHaveMore = true;
  }

  /** The slice that holds the next record, or null when none is here. Empty slices are never answered. */
  get current(): RenderedSlice | null {
    return this.#slices[0] ?? null;
  }

  /** Index of the next record in `current`. */
  get index(): number {
    return this.#next;
  }

  /** The record at `index` was sent. */
  advance(): void {
    const slice = this.#slices[0];
    if (slice === undefined) return;
    this.#waitingBytes -= payloadBytes(slice, this.#next);
    this.#next += 1;
    if (this.#next < slice.count) return;
    this.#slices.shift();
    this.#next = 0;
  }

  /** Ask for the next slice when there is room and reason. */
  fetch(): void {
    const isFull = this.#slices.length >= SLICES_MAX || this.#waitingBytes >= this.#options.bytesMax;
    if (!this.#isActive || this.#isFetching || isFull || !this.#mayHaveMore) return;
    this.#isFetching = true;
    this.#mayHaveMore = false; // what is committed from here on sets it again
    const generation = this.#generation;
    this.#options.reader.rendered(this.#scannedToId, this.#options.rowsMax).then(
      (slice) => {
        if (generation === this.#generation) this.#arrived(slice);
      },
      (error: unknown) => {
        if (generation !== this.#generation) return;
        this.#isFetching = false;
        this.#mayHaveMore = true;
        this.#options.onError(error);
      },
    );
  }

  #arrived(slice: RenderedSlice): void {
    this.#isFetching = false;
    this.#scannedToId = Math.max(this.#scannedToId, slice.scannedToId);
    if (slice.more) this.#mayHaveMore = true;
    if (slice.count > 0) {
      this.#slices.push(slice);
      this.#waitingBytes += (slice.offsets[slice.count] ?? 0) - (slice.offsets[0] ?? 0);
    } else this.#extendLast(slice.scannedToId);
    this.#options.onSlice();
  }

  /** Nothing to send up to there: the slice before stands for it too, so that the cursor gets past it. */
  #extendLast(scannedToId: number): void {
    const last = this.#slices.pop();
    if (last !== undefined) this.#slices.push({ ...last, scannedToId });
  }
}

function payloadBytes(slice: RenderedSlice, index: number): number {
  return (slice.offsets[index + 1] ?? 0) - (slice.offsets[index] ?? 0);
}
