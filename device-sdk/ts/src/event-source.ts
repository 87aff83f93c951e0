/** Typed events. A listener that throws surfaces as an uncaught exception of its own and disturbs nobody else. */
type Listener<A extends unknown[]> = (...args: A) => void;

/** Typed events; a listener that throws does not keep the news from the others. */
export class EventSource<M extends Record<keyof M, unknown[]>> {
  readonly #listeners: { [E in keyof M]?: Set<Listener<M[E]>> } = {};

  on<E extends keyof M>(event: E, listener: Listener<M[E]>): void {
    const listeners: Set<Listener<M[E]>> = this.#listeners[event] ?? new Set();
    this.#listeners[event] = listeners;
    listeners.add(listener);
  }

  off<E extends keyof M>(event: E, listener: Listener<M[E]>): void {
    this.#listeners[event]?.delete(listener);
  }

  emit<E extends keyof M>(event: E, ...args: M[E]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      try {
        listener(...args);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
