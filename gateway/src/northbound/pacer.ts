/**
 * Names whose turn it is: each at most once an interval, the longest waiting first, and none forgotten that changed
 * while it cooled.
 *
 *   changed ──▶ ready ──next()──▶ cooling (one interval) ──changed meanwhile──▶ ready
 *                                     └──not changed──▶ at rest
 */
import type { Clock } from "../core/clock.js";

export interface PacerDeps {
  readonly clock: Clock;
  /** A name is ready. Called between `attach` and `detach` only. */
  readonly wake: () => void;
}

/** One per lane of retained messages. Holds what its user tells it of: the user bounds the names. */
export class Pacer {
  readonly #ready = new Set<string>();
  /** Taken less than an interval ago, with the time that ends; in that order, because every interval is the same. */
  readonly #cooling = new Map<string, number>();
  /** Changed since it was taken, and still cooling. */
  readonly #changed = new Set<string>();
  #isAttached = false;
  #cancel: (() => void) | null = null;
  readonly #intervalMs: number;
  readonly #deps: PacerDeps;

  constructor(intervalMs: number, deps: PacerDeps) {
    this.#intervalMs = intervalMs;
    this.#deps = deps;
  }

  changed(name: string): void {
    if (this.#cooling.has(name)) {
      this.#changed.add(name);
      this.#wakeAtNextCooled();
      return;
    }
    this.#ready.add(name);
    if (this.#isAttached) this.#deps.wake();
  }

  forget(name: string): void {
    this.#ready.delete(name);
    this.#cooling.delete(name);
    this.#changed.delete(name);
  }

  /** A session is up. @param names all that must be said again: the broker may have forgotten them. */
  attach(names: Iterable<string>): void {
    this.#isAttached = true;
    for (const name of names) {
      if (this.#cooling.has(name)) this.#changed.add(name);
      else this.#ready.add(name);
    }
    this.#wakeAtNextCooled();
  }

  /** Nobody is woken until `attach`, and no timer stays. */
  detach(): void {
    this.#isAttached = false;
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Take the name whose turn it is; null when there is none. */
  next(): string | null {
    const now = this.#deps.clock.monoMs();
    this.#endCooling(now);
    const [name] = this.#ready;
    if (name === undefined) return null;
    this.#ready.delete(name);
    this.#cooling.set(name, now + this.#intervalMs);
    return name;
  }

  #endCooling(now: number): void {
    for (const [name, endsAtMs] of this.#cooling) {
      if (endsAtMs > now) break;
      this.#cooling.delete(name);
      if (this.#changed.delete(name)) this.#ready.add(name);
    }
  }

  /** One timer for all: at the end of the oldest cooling, while anything may be waiting for one. */
  #wakeAtNextCooled(): void {
    const [first] = this.#cooling;
    if (this.#cancel !== null || first === undefined || !this.#isAttached) return;
    const afterMs = Math.max(0, first[1] - this.#deps.clock.monoMs());
    this.#cancel = this.#deps.clock.after(afterMs, () => {
      this.#cancel = null;
      this.#endCooling(this.#deps.clock.monoMs());
      this.#wakeAtNextCooled();
      if (this.#ready.size > 0) this.#deps.wake();
    });
  }
}
