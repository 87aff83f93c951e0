/**
 * Time, passed in. This file is the SDK's only user of timers, `Date` and the monotonic clock; tests bring their own.
 *
 * Monotonic milliseconds order, time out and expire. Unix milliseconds are only written on readings.
 */
export interface Clock {
  /** Monotonic milliseconds; only differences mean anything. */
  monoMs(): number;
  /** Unix time in milliseconds. It may jump: for stamps, never for timeouts. */
  unixMs(): number;
  /** Call `fn` once, `afterMs` from now. Returns the way to cancel it; cancelling twice is harmless. */
  after(afterMs: number, fn: () => void): () => void;
}

/** The longest delay Node's timers take; longer ones would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** The real clocks of this machine. */
export class SystemClock implements Clock {
  monoMs(): number {
    return performance.now();
  }

  unixMs(): number {
    return Date.now();
  }

  after(afterMs: number, fn: () => void): () => void {
    const timer = setTimeout(fn, Math.min(Math.max(0, afterMs), TIMER_MS_MAX));
    return () => clearTimeout(timer);
  }
}

/**
 * Uptime as it travels: whole milliseconds since `startMonoMs`, in 32 bits. It wraps to 0 after 49.7 days, as the
 * millisecond counter of a microcontroller does; the gateway unwraps it per session [P-23].
 */
export function uptimeMs(clock: Clock, startMonoMs: number): number {
  return Math.floor(clock.monoMs() - startMonoMs) >>> 0;
}

/** Whether a deadline in the device's own uptime has come, also when the counter wrapped in between; 0: none [P-16]. */
export function isPast(deadlineUptimeMs: number, nowUptimeMs: number): boolean {
  return deadlineUptimeMs !== 0 && ((nowUptimeMs - deadlineUptimeMs) | 0) >= 0;
}
