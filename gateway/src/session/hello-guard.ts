/**
 * Judges the Hellos of one device before they may take a session over: late ones are dropped [P-5], and a cloned
 * identity is told from a device that reconnects [P-14].
 *
 * A device counts its Hellos per boot. One that arrives with a count already seen was held up on a link the device has
 * given up since; it must not fence the session that replaced it.
 *
 * A device whose link flaps says Hello with one boot nonce; one that reboots brings a new nonce each time. Two
 * devices that hold one identity take the session from each other in turns: a nonce comes back that another one had
 * replaced. More than a few such returns within a minute mean a clone. A return counts only when it takes the session
 * from somebody who speaks: after a reboot, Hellos of the boot before may still come out of links that are gone, and
 * the device that comes back after such a ghost is no second one.
 */

const WINDOW_MS = 60_000;
/** How long a cloned identity stays locked out; long enough to be seen, short enough to heal after the fix. */
export const CLONE_QUARANTINE_MS = 300_000;
/** Boots remembered per device: a clone needs two; more would only be reboots. */
const BOOTS_KEPT = 5;

/** What becomes of a Hello. */
export type HelloVerdict =
  | { readonly let: "in" }
  /** An older Hello of the same boot: nobody waits for its answer. */
  | { readonly let: "drop" }
  | { readonly let: "out"; readonly lockedOutMs: number };

/** What the guard looks at [P-5] [P-14]. */
export interface GuardedHello {
  readonly bootNonce: number;
  readonly attempt: number;
  /** It ends another session of the device, in which somebody has spoken since its Welcome. */
  readonly takesOver: boolean;
}

interface Boot {
  readonly nonce: number;
  attempt: number;
}

/** What almost every device has. */
const NO_RETURNS: readonly number[] = [];
const IN: HelloVerdict = { let: "in" };
const DROP: HelloVerdict = { let: "drop" };

/** One per device; times are monotonic ms. */
export class HelloGuard {
  readonly #returnsMax: number;
  /** Boots seen, the current one first. */
  #boots: readonly Boot[] = [];
  #returnsAtMs: readonly number[] = NO_RETURNS;
  #quarantinedUntilMs = Number.NEGATIVE_INFINITY;

  /** @param returnsMax returns within a minute that are still taken for something else. */
  constructor(returnsMax: number) {
    this.#returnsMax = returnsMax;
  }

  hello({ bootNonce, attempt, takesOver }: GuardedHello, nowMonoMs: number): HelloVerdict {
    if (nowMonoMs < this.#quarantinedUntilMs) return out(this.#quarantinedUntilMs - nowMonoMs);
    const boot = this.#boots.find(({ nonce }) => nonce === bootNonce);
    if (boot !== undefined && attempt <= boot.attempt) return DROP;
    const isReturn = boot !== undefined && boot !== this.#boots[0];
    const current = { nonce: bootNonce, attempt };
    this.#boots = [current, ...this.#boots.filter((other) => other !== boot)].slice(0, BOOTS_KEPT);
    if (isReturn && takesOver) this.#countReturn(nowMonoMs);
    if (this.#returnsAtMs.length <= this.#returnsMax) return IN;
    this.#returnsAtMs = NO_RETURNS;
    this.#quarantinedUntilMs = nowMonoMs + CLONE_QUARANTINE_MS;
    return out(CLONE_QUARANTINE_MS);
  }

  #countReturn(nowMonoMs: number): void {
    this.#returnsAtMs = [...this.#returnsAtMs.filter((at) => nowMonoMs - at < WINDOW_MS), nowMonoMs];
  }
}

function out(ms: number): HelloVerdict {
  return { let: "out", lockedOutMs: Math.ceil(ms) };
}
