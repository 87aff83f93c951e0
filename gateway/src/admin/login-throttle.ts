/**
 * Slows down whoever guesses: per address an exponential pause after a few failures, and a ceiling over all addresses.
 *
 *   failures   1 2 3 4 5   6    7    8   …   12 and more
 *   pause      none        2 s  4 s  8 s     60 s (cap)
 *
 * Only failures count; a success clears its address. IPv6 addresses count by their /64, which one host owns whole.
 */
import { isIPv6 } from "node:net";
import type { Clock } from "../core/clock.js";

const FREE_FAILURES = 5;
const PAUSE_MS_MAX = 60_000;
/** Failures of an address are forgotten after this long without another. */
const FORGET_MS = 15 * 60_000;
const ADDRESSES_MAX = 1024;
/** All addresses together: a burst of this many failures, then this many a minute. */
const OVERALL_FAILURES_PER_MINUTE = 60;

interface Attempts {
  failures: number;
  lastMs: number;
}

/** Counts failed logins and says how long the next one must wait. */
export class LoginThrottle {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, Attempts>();
  readonly #failuresPerMinute: number;
  #overall: number;
  #refilledMs: number;

  constructor(clock: Clock, failuresPerMinute = OVERALL_FAILURES_PER_MINUTE) {
    this.#failuresPerMinute = failuresPerMinute;
    this.#overall = failuresPerMinute;
    this.#clock = clock;
    this.#refilledMs = clock.monoMs();
  }

  /** Milliseconds this address must wait before its next try; 0: go on. */
  waitMs(address: string): number {
    this.#refill();
    const overallMs = this.#overall >= 1 ? 0 : Math.ceil(((1 - this.#overall) * 60_000) / this.#failuresPerMinute);
    return Math.max(overallMs, this.#addressWaitMs(group(address)));
  }

  failed(address: string): void {
    this.#refill();
    this.#overall = Math.max(0, this.#overall - 1);
    const key = group(address);
    const known = this.#byAddress.get(key);
    this.#byAddress.delete(key);
    this.#makeRoom();
    this.#byAddress.set(key, { failures: (known?.failures ?? 0) + 1, lastMs: this.#clock.monoMs() });
  }

  succeeded(address: string): void {
    this.#byAddress.delete(group(address));
  }

  #addressWaitMs(key: string): number {
    const attempts = this.#byAddress.get(key);
    if (attempts === undefined) return 0;
    const sinceMs = this.#clock.monoMs() - attempts.lastMs;
    if (sinceMs >= FORGET_MS) this.#byAddress.delete(key);
    const over = attempts.failures - FREE_FAILURES;
    if (over < 0 || sinceMs >= FORGET_MS) return 0;
    return Math.max(0, Math.min(PAUSE_MS_MAX, 1000 * 2 ** Math.min(over, 10)) - sinceMs);
  }

  /** The map is in order of the last failure: the quietest address is forgotten first. */
  #makeRoom(): void {
    const quietest = this.#byAddress.keys().next().value;
    if (this.#byAddress.size >= ADDRESSES_MAX && quietest !== undefined) this.#byAddress.delete(quietest);
  }

  #refill(): void {
    const now = this.#clock.monoMs();
    const gained = ((now - this.#refilledMs) * this.#failuresPerMinute) / 60_000;
    this.#overall = Math.min(this.#failuresPerMinute, this.#overall + gained);
    this.#refilledMs = now;
  }
}

/** What counts as one guesser: an IPv4 address, or the first half of an IPv6 one. */
export function group(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill("0");
  return `${[...left, ...zeros, ...right].slice(0, 4).join(":")}::/64`;
}
