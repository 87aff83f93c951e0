/** The only place that touches the real event loop and the real clock: where a turn ends, and how long it took. */

/** Call `fn` once the promises of this turn have settled. */
export function nextTurn(fn: () => void): void {
  setImmediate(fn);
}

/** Real milliseconds since the process started. */
export function realMs(): number {
  return performance.now();
}
