/**
 * Time, passed in. `SystemClock` is the gateway's only user of timers, `Date` and the monotonic clock.
 *
 * Two clocks that never mix: monotonic milliseconds order, time out and expire; Unix milliseconds are written on
 * records and shown to people, and may jump by a day without changing anything else.
 */
export interface Clock {
  /**
   * Monotonic milliseconds with a fraction. The zero is the machine's boot, not this process's start, so values
   * of two runs compare as long as `bootId` is the same.
   */
  monoMs(): number;
  /** Unix time in milliseconds. It may jump: for stamps, never for timeouts. */
  unixMs(): number;
  /** Call `fn` once, `afterMs` from now. Returns the way to cancel it; cancelling twice is harmless. */
  after(afterMs: number, fn: () => void): () => void;
}

/** Work that should wait for the input of this turn of the event loop: so that what arrived together goes together. */
export interface Ticker {
  /** Call `fn` once, after the I/O that is ready now was handled. Cannot be cancelled. */
  soon(fn: () => void): void;
}

/** The longest delay Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The real clocks of this machine. */
export class SystemClock implements Clock, Ticker {
  readonly #monoAtZero: number;

  constructor() {
    const [seconds, nanoseconds] = process.hrtime();
    this.#monoAtZero = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  }

  monoMs(): number {
    return this.#monoAtZero + performance.now();
  }

  unixMs(): number {
    return Date.now();
  }

  after(afterMs: number, fn: () => void): () => void {
    const timer = setTimeout(fn, Math.min(Math.max(0, afterMs), TIMER_MS_MAX));
    return () => clearTimeout(timer);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }
}

/** Call `fn` every `everyMs`, counted from the end of the call before. Returns the way to stop it. */
export function repeat(clock: Clock, everyMs: number, fn: () => void): () => void {
  let cancel = clock.after(everyMs, tick);
  let stopped = false;
  function tick(): void {
    fn();
    if (!stopped) cancel = clock.after(everyMs, tick);
  }
  return () => {
    stopped = true;
    cancel();
  };
}
