/**
 * Life signs, both ways: a PINGREQ when either side was quiet for half the keepalive, and an end of the connection
 * when nothing was heard for one and a half (the broker applies the same factor to us, MQTT 5 §3.1.2.10).
 */
import type { Clock } from "../core/clock.js";

export interface KeepaliveActions {
  ping(): void;
  /** Nothing was heard for 1.5 keepalives; called once. */
  silent(): void;
}

/** One per connection; leaves no timer after `stop`. */
export class KeepaliveWatch {
  #keepaliveMs = 0;
  #heardAtMs = 0;
  #sentAtMs = 0;
  #cancel: () => void = () => {};
  readonly #clock: Clock;
  readonly #actions: KeepaliveActions;

  constructor(clock: Clock, actions: KeepaliveActions) {
    this.#clock = clock;
    this.#actions = actions;
  }

  /** @param keepaliveMs as agreed; 0 switches the watch off (a broker may ask for that). */
  start(keepaliveMs: number): void {
    this.#keepaliveMs = keepaliveMs;
    this.heard();
    this.sent();
    if (keepaliveMs > 0) this.#schedule();
  }

  stop(): void {
    this.#cancel();
    this.#keepaliveMs = 0;
  }

  heard(): void {
    this.#heardAtMs = this.#clock.monoMs();
  }

  sent(): void {
    this.#sentAtMs = this.#clock.monoMs();
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#keepaliveMs / 4, () => this.#tick());
  }

  #tick(): void {
    if (this.#keepaliveMs === 0) return;
    const now = this.#clock.monoMs();
    if (now - this.#heardAtMs >= this.#keepaliveMs * 1.5) {
      this.#actions.silent();
      return;
    }
    const quietMs = Math.max(now - this.#heardAtMs, now - this.#sentAtMs);
    if (quietMs >= this.#keepaliveMs / 2) this.#actions.ping();
    this.#schedule();
  }
}
