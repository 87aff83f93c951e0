/**
 * How a device's uptime maps to the gateway's clocks [P-23].
 *
 *   gateway  ──ping, sentMs──▶            ◀──uptime── receivedMs
 *   device              ▲ uptime was read about half way: sentMs + rtt/2
 *
 * Everything is a difference on the monotonic clock: the age of a reading is "uptime now − uptime then", and its
 * Unix time "now − age". So a jump of the gateway's wall clock changes later stamps and nothing else, and an uptime
 * that wraps at 2^32 ms needs no unwrapping.
 */

const UPTIME_WRAP_MS = 2 ** 32;
/** A base this little in the future is rounding or clock drift, not a reading from 49 days ago. */
const FUTURE_SLACK_MS = 3_600_000;
/** P-23: the best of the last eight pings. Old ones must go, or the drift of a cheap crystal would add up. */
const SAMPLES_KEPT = 8;

/** The numbers of a sample, in their places. */
const MONO = 0;
const UPTIME = 1;
const RTT = 2;
const SAMPLE_SIZE = 3;
const ROW_SIZE = SAMPLES_KEPT * SAMPLE_SIZE;

/** The time mapping of one session. All instants are monotonic ms, all uptimes u32 ms. */
export class TimeSync {
  /**
   * The last samples in one row, the oldest overwritten: when, on the monotonic clock, the device's uptime was what,
   * and the round trip, to half of which the instant is known. Infinite: there is none yet. An object for each would
   * take 100 bytes for as long as the device is connected.
   */
  readonly #samples: number[] = new Array<number>(ROW_SIZE).fill(Number.POSITIVE_INFINITY);
  #nextAt = 0;
  #bestAt = 0;
  #pinged = false;

  /**
   * Starts from the Hello, whose way took an unknown time: a first estimate that is never ahead of the device.
   * @param monoMs when the Hello arrived. @param uptimeMs what it said, u32.
   */
  constructor(monoMs: number, uptimeMs: number) {
    this.#put(monoMs, uptimeMs, Number.POSITIVE_INFINITY);
  }

  /** A ping's answer: sent and received on the monotonic clock, and the uptime it carried. */
  pingAnswered(sentMs: number, receivedMs: number, uptimeMs: number): void {
    const rttMs = Math.max(0, receivedMs - sentMs);
    this.#put(sentMs + rttMs / 2, uptimeMs, rttMs);
    this.#pinged = true;
    // From the oldest to the newest: of two that are equally good the newer one counts.
    for (let i = 0; i < ROW_SIZE; i += SAMPLE_SIZE) {
      const at = (this.#nextAt + i) % ROW_SIZE;
      if (i === 0 || this.#read(at + RTT) <= this.rttMs) this.#bestAt = at;
    }
  }

  /** Was at least one ping answered? */
  get synchronised(): boolean {
    return this.#pinged;
  }

  /** Round trip of the sample in use, in ms; infinite before the first ping. */
  get rttMs(): number {
    return this.#read(this.#bestAt + RTT);
  }

  /** The device's uptime at `monoMs`, as u32 with a fraction. */
  uptimeAt(monoMs: number): number {
    return wrap(this.#read(this.#bestAt + UPTIME) + (monoMs - this.#read(this.#bestAt + MONO)));
  }

  /** How long before `monoMs` the device's uptime was `uptimeMs`; slightly negative for "just now". */
  ageMs(monoMs: number, uptimeMs: number): number {
    const age = wrap(this.uptimeAt(monoMs) - uptimeMs);
    return age > UPTIME_WRAP_MS - FUTURE_SLACK_MS ? age - UPTIME_WRAP_MS : age;
  }

  /**
   * A deadline in the device's uptime, never later than true [P-16]: the uncertainty is taken off.
   * @returns u32, or null when the deadline is so near that nothing is left of it.
   */
  deadlineUptime(nowMonoMs: number, deadlineMonoMs: number): number | null {
    const uncertainMs = Number.isFinite(this.rttMs) ? this.rttMs / 2 : 0;
    const leftMs = Math.floor(deadlineMonoMs - nowMonoMs - uncertainMs);
    if (leftMs <= 0) return null;
    // 0 means "no deadline" on the wire: one that falls on it is sent a millisecond early.
    return Math.floor(wrap(this.uptimeAt(nowMonoMs) + leftMs)) || UPTIME_WRAP_MS - 1;
  }

  #put(monoMs: number, uptimeMs: number, rttMs: number): void {
    this.#samples[this.#nextAt + MONO] = monoMs;
    this.#samples[this.#nextAt + UPTIME] = uptimeMs;
    this.#samples[this.#nextAt + RTT] = rttMs;
    this.#nextAt = (this.#nextAt + SAMPLE_SIZE) % ROW_SIZE;
  }

  #read(at: number): number {
    return this.#samples[at] ?? 0;
  }
}

/**
 * The instant of a reading from an older boot, from how that boot's uptime mapped to Unix time.
 * @param offsetUnixMs Unix ms minus uptime ms when it was last synchronised.
 */
export function olderBootUnixMs(offsetUnixMs: number, uptimeMs: number, nowUnixMs: number): number {
  const at = offsetUnixMs + uptimeMs;
  // The boot's uptime wrapped between the reading and the last ping: the reading cannot lie in the future.
  return at > nowUnixMs + FUTURE_SLACK_MS ? at - UPTIME_WRAP_MS : at;
}

function wrap(ms: number): number {
  const rest = ms % UPTIME_WRAP_MS;
  return rest < 0 ? rest + UPTIME_WRAP_MS : rest;
}
