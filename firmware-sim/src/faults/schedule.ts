/**
 * Named faults and when they happen. Pure: a plan and a seed give one endless, ordered list.
 *
 *   drop-link    the connection is reset; the device cannot reach the gateway for a while
 *   reboot       the device loses its power, and its RAM; it comes back after a while
 *   half-open    nothing passes any more, and nobody is told; much later the line dies, or delivers what it held
 *   clock-skew   the device's wall clock is wrong, or its uptime wraps at 2^32 ms soon          (belongs to a boot)
 *   slow-link    few bytes per second pass, either way                                          (belongs to the line)
 */

import { childSeed, hashUnit, SeededRandom } from "../random.js";
import type { ClockFault } from "../virtual-device.js";

/** Something that happens to a device at an instant. */
export type Fault =
  | { readonly kind: "drop-link"; readonly awayMs: number }
  | { readonly kind: "reboot"; readonly offMs: number }
  | { readonly kind: "half-open"; readonly holdMs: number; readonly deliversLate: boolean };

/** Name of a fault that happens at an instant. */
export type FaultKind = Fault["kind"];

/** A fault and when it happens, in ms since the schedule began. */
export interface TimedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

/** Mean time between two faults of a kind on one device, in ms; null: never. */
export interface FaultPlan {
  readonly dropLinkEveryMs: number | null;
  readonly rebootEveryMs: number | null;
  readonly halfOpenEveryMs: number | null;
}

/** A plan in which nothing happens. */
export const NO_FAULTS: FaultPlan = { dropLinkEveryMs: null, rebootEveryMs: null, halfOpenEveryMs: null };

/** At most; and never longer than half of the time to the next one, or a device would hardly ever be there. */
const AWAY_MS = { min: 500, max: 8_000 };
const OFF_MS = { min: 200, max: 4_000 };
const OUT_SHARE_MAX = 0.5;
/** Longer than it takes either side to notice, with the usual keepalive of 30 s. */
const HOLD_MS = { min: 20_000, max: 90_000 };
/** Times between faults are exponential, cut at both ends so that one schedule is neither idle nor a storm. */
const GAP_SHARE = { min: 0.1, max: 4 };
const UPTIME_WRAP_MS = 2 ** 32;
const BEFORE_WRAP_MS = { min: 5_000, max: 45_000 };
const CLOCK_LANE = 41;

/** The faults of one device, in order of time, without end; none at all when the plan is empty. */
export function* faultsOf(plan: FaultPlan, seed: number): Generator<TimedFault, void, undefined> {
  const streams = [
    stream(plan.dropLinkEveryMs, childSeed(seed, 1), (random) => ({
      kind: "drop-link",
      awayMs: between(random, upTo(AWAY_MS, plan.dropLinkEveryMs)),
    })),
    stream(plan.rebootEveryMs, childSeed(seed, 2), (random) => ({
      kind: "reboot",
      offMs: between(random, upTo(OFF_MS, plan.rebootEveryMs)),
    })),
    stream(plan.halfOpenEveryMs, childSeed(seed, 3), (random) => ({
      kind: "half-open",
      holdMs: between(random, HOLD_MS),
      deliversLate: random.unit() < 0.5,
    })),
  ];
  const heads = streams.map((source) => ({ source, next: source.next() }));
  for (;;) {
    let earliest: TimedFault | null = null;
    let from: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (head.next.done || (earliest !== null && head.next.value.atMs >= earliest.atMs)) continue;
      earliest = head.next.value;
      from = head;
    }
    if (earliest === null || from === null) return;
    yield earliest;
    from.next = from.source.next();
  }
}

/** The faults of one device up to an instant, as a list. */
export function faultsUntil(plan: FaultPlan, seed: number, untilMs: number): TimedFault[] {
  const list: TimedFault[] = [];
  for (const timed of faultsOf(plan, seed)) {
    if (timed.atMs >= untilMs) break;
    list.push(timed);
  }
  return list;
}

/**
 * What is wrong with the clocks of one boot: one half of the boots has a wrong wall clock, and trusts it; the other has
 * an uptime counter that wraps soon.
 *
 * @param skewMsMax how wrong a wall clock is at most, ahead or behind, in ms
 */
export function clockFaultOf(seed: number, boot: number, skewMsMax: number): ClockFault {
  if (hashUnit(seed, CLOCK_LANE, boot * 2) < 0.5) {
    const beforeMs =
      BEFORE_WRAP_MS.min + hashUnit(seed, CLOCK_LANE, boot * 2 + 1) * (BEFORE_WRAP_MS.max - BEFORE_WRAP_MS.min);
    return { unixSkewMs: 0, uptimeMs: UPTIME_WRAP_MS - Math.round(beforeMs) };
  }
  const share = hashUnit(seed, CLOCK_LANE, boot * 2 + 1) * 2 - 1;
  const unixSkewMs = Math.round(share * skewMsMax);
  return { unixSkewMs: unixSkewMs === 0 ? 1 : unixSkewMs, uptimeMs: 0 };
}

function* stream(
  everyMs: number | null,
  seed: number,
  make: (random: SeededRandom) => Fault,
): Generator<TimedFault, void, undefined> {
  if (everyMs === null) return;
  const random = new SeededRandom(seed);
  let atMs = 0;
  for (;;) {
    const share = -Math.log(1 - random.unit());
    atMs += Math.round(everyMs * Math.min(GAP_SHARE.max, Math.max(GAP_SHARE.min, share)));
    yield { atMs, fault: make(random) };
  }
}

function upTo({ min, max }: { min: number; max: number }, everyMs: number | null): { min: number; max: number } {
  const most = Math.min(max, (everyMs ?? max) * OUT_SHARE_MAX);
  return { min: Math.min(min, most), max: most };
}

function between(random: SeededRandom, { min, max }: { min: number; max: number }): number {
  return Math.round(min + random.unit() * (max - min));
}
