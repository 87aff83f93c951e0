/**
 * Answers to commands that were refused before they became records: to the result topic, and to the Response Topic of
 * the request. A courtesy, so bounded and rate-limited; the outcomes of accepted commands go through the pump.
 */
import type { Clock } from "../core/clock.js";
import type { Counter } from "../core/metrics.js";
import type { AckListener } from "./in-flight.js";
import type { OutgoingMessage, Publisher } from "./mqtt-connection.js";

const WAITING_MAX = 64;
/** A publisher that sends nonsense in a loop gets this many answers a second. */
const PER_SECOND_MAX = 20;

/** One per sink; what waits when a connection ends is sent on the next one. */
export class ReplyQueue implements AckListener {
  readonly #waiting: OutgoingMessage[] = [];
  readonly #clock: Clock;
  readonly #shed: Counter;
  #secondStartMs = 0;
  #inSecond = 0;

  /** @param shed counts answers that found no room, or came too fast. */
  constructor(clock: Clock, shed: Counter) {
    this.#clock = clock;
    this.#shed = shed;
  }

  add(message: OutgoingMessage): void {
    if (this.#waiting.length >= WAITING_MAX || !this.#isWithinRate()) this.#shed.add();
    else this.#waiting.push(message);
  }

  /** Send one answer. @returns false when none waits or no slot is free. */
  sendNext(publisher: Publisher): boolean {
    if (this.#waiting.length === 0 || publisher.freeSlots < 1) return false;
    const message = this.#waiting.shift();
    if (message === undefined) return false;
    publisher.publish(message, this, 0);
    return true;
  }

  acked(): void {}

  #isWithinRate(): boolean {
    const now = this.#clock.monoMs();
    if (now - this.#secondStartMs >= 1000) {
      this.#secondStartMs = now;
      this.#inSecond = 0;
    }
    this.#inSecond += 1;
    return this.#inSecond <= PER_SECOND_MAX;
  }
}
