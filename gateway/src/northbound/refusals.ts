/**
 * What to do about a record the broker did not take. Pure.
 *
 *   PUBACK                       verdict
 *   success                      taken
 *   no subscribers               taken; unheard where the sink demands a consumer: retry for ever, one at a time
 *   quota exceeded               retry, for ever: the broker is full, the record is innocent
 *   unspecified and the like     retry; after some times the record is put aside
 *   not authorized               denied: decided when the window has settled
 *   too large, invalid …         quarantine
 *
 * Not authorized is decided by what became of the others: when the broker takes other records, the right to this one
 * is missing and it is put aside; when it takes none, the sink lacks its rights as a whole, and throwing a backlog
 * into quarantine for a typo in an access list would be the worst thing to do.
 */
import { ReasonCode } from "./connack-failure.js";

export type Verdict = "taken" | "unheard" | "retry" | "denied" | "quarantine";

/** Refusals in a row of one record, for a reason that may pass, before it is put aside. */
const REFUSALS_MAX = 8;
/** Denials in a row, across records, that are a matter of rights as a whole. */
const DENIED_IN_A_ROW_MAX = 10;

/** One per sink; `newSession` at every connection. */
export class Refusals {
  #refusedId = 0;
  #refusedCount = 0;
  #denied: number[] = [];
  #deniedInARow = 0;
  #takenInSession = 0;
  #unheardCount = 0;
  readonly #requiresSubscriber: boolean;

  /** @param requiresSubscriber a message that nobody subscribes to counts as not taken. */
  constructor(requiresSubscriber = false) {
    this.#requiresSubscriber = requiresSubscriber;
  }

  /** The broker has said that nobody reads, and has taken nothing since. */
  get isUnheard(): boolean {
    return this.#unheardCount > 0;
  }

  /** How often in a row nobody read; the backoff's attempt. */
  get unheardCount(): number {
    return this.#unheardCount;
  }

  /** How many times in a row a retry was the answer; the backoff's attempt. */
  get attempt(): number {
    return Math.max(0, this.#refusedCount - 1);
  }

  /** A denied record waits for the rest of the window; nothing new may be sent. */
  get isDeciding(): boolean {
    return this.#denied.length > 0;
  }

  /** A new session, or the same one from the cursor again. */
  restarted(): void {
    this.#denied = [];
  }

  newSession(): void {
    this.restarted();
    this.#takenInSession = 0;
    this.#deniedInARow = 0;
  }

  verdict(recordId: number, token: number, reasonCode: number): Verdict {
    switch (reasonCode) {
      case ReasonCode.noMatchingSubscribers:
        if (this.#requiresSubscriber) {
          this.#unheardCount += 1;
          return "unheard";
        }
        return this.#taken();
      case ReasonCode.success:
        return this.#taken();
      case ReasonCode.notAuthorized:
        this.#denied.push(token);
        this.#deniedInARow += 1;
        return "denied";
      case ReasonCode.topicNameInvalid:
      case ReasonCode.packetTooLarge:
      case ReasonCode.payloadFormatInvalid:
        return "quarantine";
      default:
        return this.#passing(recordId, reasonCode);
    }
  }

  #taken(): Verdict {
    this.#takenInSession += 1;
    this.#unheardCount = 0;
    this.#deniedInARow = 0;
    this.#refusedCount = 0;
    return "taken";
  }

  /**
   * The window has settled: what becomes of the denied ones.
   *
   * @returns their tokens to be put aside, or null: the sink as a whole lacks the right.
   */
  decide(): readonly number[] | null {
    const denied = this.#denied;
    this.#denied = [];
    return this.#takenInSession > 0 && this.#deniedInARow <= DENIED_IN_A_ROW_MAX ? denied : null;
  }

  /** How many denied records there are. */
  get deniedCount(): number {
    return this.#denied.length;
  }

  #passing(recordId: number, reasonCode: number): Verdict {
    this.#refusedCount = recordId === this.#refusedId ? this.#refusedCount + 1 : 1;
    this.#refusedId = recordId;
    const isRecordsFault = reasonCode !== ReasonCode.quotaExceeded && this.#refusedCount >= REFUSALS_MAX;
    return isRecordsFault ? "quarantine" : "retry";
  }
}
