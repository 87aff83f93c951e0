/**
 * How to take a transaction back: every change leaves its opposite here until the transaction is durable.
 *
 *   begin ─▶ change, change … ─▶ durable   (forgotten: it stays)
 *                            └─▶ undo      (the opposites, last one first)
 */
export class UndoLog {
  #opposites: (() => void)[] | null = null;

  get isOpen(): boolean {
    return this.#opposites !== null;
  }

  begin(): void {
    if (this.#opposites !== null) throw new Error("a transaction is open already");
    this.#opposites = [];
  }

  /** A change was made outside a transaction only by opening the store; it is durable at once. */
  push(opposite: () => void): void {
    this.#opposites?.push(opposite);
  }

  durable(): void {
    this.#opposites = null;
  }

  undo(): void {
    const opposites = this.#opposites ?? [];
    this.#opposites = null;
    for (const opposite of opposites.reverse()) opposite();
  }

  /** Put into a map, with the way back. */
  set<K, V>(map: Map<K, V>, key: K, value: V): void {
    const before = map.get(key);
    const wasThere = map.has(key);
    map.set(key, value);
    this.push(() => {
      if (wasThere && before !== undefined) map.set(key, before);
      else map.delete(key);
    });
  }

  delete<K, V>(map: Map<K, V>, key: K): void {
    const before = map.get(key);
    if (before === undefined) return;
    map.delete(key);
    this.push(() => map.set(key, before));
  }

  append<T>(list: T[], value: T): void {
    list.push(value);
    this.push(() => {
      list.pop();
    });
  }
}
