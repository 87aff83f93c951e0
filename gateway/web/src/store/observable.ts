/** A value that can be watched; the whole of the dashboard's state machinery. */
import { useEffect, useState } from "preact/hooks";

/** One value and those who watch it. Watchers hear only of real changes. */
export class Observable<T> {
  #value: T;
  readonly #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value));
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The selected part of an observable; renders again only when that part is another value. */
export function useSelected<T, S>(source: Observable<T>, select: (value: T) => S): S {
  const [, render] = useState({});
  const selected = select(source.value);
  useEffect(() => {
    let shown = select(source.value);
    if (!Object.is(shown, selected)) render({});
    return source.watch(() => {
      const next = select(source.value);
      if (Object.is(next, shown)) return;
      shown = next;
      render({});
    });
  });
  return selected;
}
