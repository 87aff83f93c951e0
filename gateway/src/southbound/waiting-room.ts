/**
 * Where new connections wait before TLS, when more come than can be let in.
 *
 *   TCP ─▶ enter ─┬─ there is room ──────────────────────▶ letIn: TLS, upgrade, Hello
 *                 ├─ a place to wait ─▶ in order, perSecond ─▶ letIn
 *                 │                      └─ waited too long ─▶ turnAway
 *                 └─ no place ────────────────────────────▶ turnAway
 *
 * After a power cut ten thousand devices return within seconds. What makes that hard is TLS: to send one away with an
 * HTTP answer costs as much as to let it in, and it comes again. One that waits costs a socket, and its turn comes
 * before its own patience ends (30 s in both SDKs). Those who find no place are closed; the SDKs come back with full
 * jitter [P-21].
 */
import type { Clock } from "../core/clock.js";
import { TokenBucket } from "../core/token-bucket.js";

export interface RoomHost<Guest> {
  readonly clock: Clock;
  /** Too many have been let in that have not said Hello yet: nobody else for now. */
  isCrowded(): boolean;
  /** Called from inside `enter`, or later. */
  letIn(guest: Guest): void;
  turnAway(guest: Guest): void;
}

/** Longest wait, ms: short beside the patience of a device, which TLS and Hello want, too. */
const WAIT_MS_MAX = 8_000;

/** How often it is looked who may enter, ms; a tenth of a second's guests may enter together. */
const LOOK_MS = 20;
const BURSTS_PER_SECOND = 10;

/** In the order of their coming; holds at most as many as can enter within the longest wait. */
export class WaitingRoom<Guest> {
  readonly #host: RoomHost<Guest>;
  readonly #bucket: TokenBucket;
  readonly #placeCount: number;
  /** Guests, and since when they wait, in monotonic ms. */
  readonly #waiting = new Map<Guest, number>();
  #cancelLook: (() => void) | null = null;

  /** @param perSecond guests let in per second, at least 1. */
  constructor(perSecond: number, host: RoomHost<Guest>) {
    this.#host = host;
    this.#placeCount = Math.ceil((perSecond * WAIT_MS_MAX) / 1000);
    this.#bucket = new TokenBucket(perSecond, Math.max(1, perSecond / BURSTS_PER_SECOND), host.clock.monoMs());
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  enter(guest: Guest): void {
    const now = this.#host.clock.monoMs();
    if (this.#waiting.size === 0 && this.#mayEnter(now)) {
      this.#host.letIn(guest);
    } else if (this.#waiting.size >= this.#placeCount) {
      this.#host.turnAway(guest);
    } else {
      this.#waiting.set(guest, now);
      this.#lookLater();
    }
  }

  /** It went away by itself. */
  leave(guest: Guest): void {
    this.#waiting.delete(guest);
  }

  /** Everybody who waits is turned away. */
  close(): void {
    this.#cancelLook?.();
    this.#cancelLook = null;
    const guests = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const guest of guests) this.#host.turnAway(guest);
  }

  #look(): void {
    const now = this.#host.clock.monoMs();
    for (const [guest, sinceMonoMs] of this.#waiting) {
      const isTooLate = now - sinceMonoMs > WAIT_MS_MAX;
      if (!isTooLate && !this.#mayEnter(now)) break;
      this.#waiting.delete(guest);
      if (isTooLate) this.#host.turnAway(guest);
      else this.#host.letIn(guest);
    }
    if (this.#waiting.size > 0) this.#lookLater();
  }

  #mayEnter(nowMonoMs: number): boolean {
    return !this.#host.isCrowded() && this.#bucket.tryTake(nowMonoMs);
  }

  #lookLater(): void {
    if (this.#cancelLook !== null) return;
    this.#cancelLook = this.#host.clock.after(LOOK_MS, () => {
      this.#cancelLook = null;
      this.#look();
    });
  }
}
