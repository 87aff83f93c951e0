/** Who wants to hear of something; bounded. */

/** Far above what the gateway itself registers; reaching it means that somebody never unsubscribes. */
const LISTENERS_MAX = 10_000;

/** Tells all of its listeners, in the order in which they came. */
export class Listeners<T> {
  readonly #all = new Set<(news: T) => void>();

  /** @returns the way to stop listening; calling it twice is harmless. */
  add(listener: (news: T) => void): () => void {
    if (this.#all.size >= LISTENERS_MAX) throw new RangeError("too many listeners: one of them never unsubscribes");
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  tell(news: T): void {
    for (const listener of this.#all) listener(news);
  }
}
