/**
 * Finds the one record a broker dies of. Pure.
 *
 * A broker that refuses a record by hanging up says nothing about which one it was. When it hangs up again and again
 * without progress, the window narrows to one message; when it then hangs up on one alone, time after time, that
 * record is the poison and goes to quarantine. Only the broker's own hang-ups count: a bad network must never cost a
 * record.
 *
 * The window stays narrow until everything that was in flight is through: which of them it was is not known before, and
 * a broker that takes the acks of all the others along when it hangs up would let a wide window move by one at a time.
 */

/** Hang-ups without progress before messages are sent one at a time. */
const SUSPECT_AFTER = 3;
/** Hang-ups on one lone message before it is named the poison. */
const CONVICT_AFTER = 5;

/** One per sink; lives across its sessions. */
export class PoisonWatch {
  #hangUps = 0;
  #loneHangUps = 0;
  /** Records that may be the poison: as many as were in flight when suspicion began. */
  #suspectsLeft = 0;

  /** How many records may be in flight. */
  get windowMax(): number {
    return this.#hangUps >= SUSPECT_AFTER ? 1 : Number.POSITIVE_INFINITY;
  }

  /** A record was taken, or put aside. */
  progressed(): void {
    this.#loneHangUps = 0;
    if (this.#suspectsLeft > 0) this.#suspectsLeft -= 1;
    if (this.#suspectsLeft === 0) this.#hangUps = 0;
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
    if (this.#hangUps === SUSPECT_AFTER) this.#suspectsLeft = inFlight;
    if (inFlight === 1 && this.#hangUps > SUSPECT_AFTER) this.#loneHangUps += 1;
    return this.#loneHangUps >= CONVICT_AFTER;
  }
}
