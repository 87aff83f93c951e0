/**
 * Finds the one record a broker dies of. Pure.
 *
 * A broker that refuses a record by hanging up says nothing about which one it was. When it hangs up again and again
 * with the same record first in line, the window narrows to one message; when it then hangs up on that one alone,
 * time after time, that record is the poison and goes to quarantine. Any progress starts the count over, and only the
 * broker's own hang-ups count: a bad network must never cost a record.
 */

/** Hang-ups without progress before messages are sent one at a time. */
const SUSPECT_AFTER = 3;
/** Hang-ups on one lone message before it is named the poison. */
const CONVICT_AFTER = 5;

/** One per sink; lives across its sessions. */
export class PoisonWatch {
  #hangUps = 0;
  #loneHangUps = 0;

  /** How many records may be in flight. */
  get windowMax(): number {
    return this.#hangUps >= SUSPECT_AFTER ? 1 : Number.POSITIVE_INFINITY;
  }

  /** A record was taken. */
  progressed(): void {
    this.#hangUps = 0;
    this.#loneHangUps = 0;
  }

  /**
   * The broker hung up.
   *
   * @param inFlight how many records it had not acked.
   * @returns true: the record first in line is the poison.
   */
  hungUp(inFlight: number): boolean {
    if (inFlight === 0) return false;
    this.#hangUps += 1;
    if (inFlight === 1 && this.#hangUps > SUSPECT_AFTER) this.#loneHangUps += 1;
    return this.#loneHangUps >= CONVICT_AFTER;
  }
}
