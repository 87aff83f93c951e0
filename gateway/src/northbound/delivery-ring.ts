/**
 * What was sent and in which order, to know how far everything is acked. Pure.
 *
 *   cursor        head                       tail
 *   ──●────────────[ acked? · acked? · … ]────▶      the cursor moves when the head is acked, never past a hole
 *
 * Tokens count up for ever and name one entry; a token from before `reset` is recognised and ignored.
 */
export class DeliveryRing {
  /** Next token to give out; entries are `head … tail − 1`. */
  #tail = 0;
  #head = 0;
  readonly #recordIds: Float64Array;
  /** Where the cursor may go when the entry is done: past records that are sent nowhere. */
  readonly #coversTo: Float64Array;
  /** Acks the entry still waits for. */
  readonly #waiting: Uint8Array;
  readonly #capacity: number;
  #openCount = 0;

  /** @param capacity most entries at once: the window. */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#recordIds = new Float64Array(capacity);
    this.#coversTo = new Float64Array(capacity);
    this.#waiting = new Uint8Array(capacity);
  }

  get count(): number {
    return this.#tail - this.#head;
  }

  /** Entries that still wait; the others wait only for the ones before them. */
  get openCount(): number {
    return this.#openCount;
  }

  get isFull(): boolean {
    return this.count >= this.#capacity;
  }

  /**
   * @param coversTo where the cursor may go once it is done, ≥ recordId.
   * @param acks how many acks the record needs, 1 or 2; 0 when it is done already.
   * @returns its token. The caller has seen room.
   */
  push(recordId: number, coversTo: number, acks: number): number {
    const token = this.#tail++;
    const slot = token % this.#capacity;
    this.#recordIds[slot] = recordId;
    this.#coversTo[slot] = coversTo;
    this.#waiting[slot] = acks;
    if (acks > 0) this.#openCount += 1;
    return token;
  }

  /** The newest entry also stands for everything up to `recordId`. @returns false when there is no entry. */
  extend(recordId: number): boolean {
    if (this.count === 0) return false;
    this.#coversTo[(this.#tail - 1) % this.#capacity] = recordId;
    return true;
  }

  /** @returns true when this ack was the entry's last one; false also for tokens that are no longer of interest. */
  ack(token: number): boolean {
    if (!this.isOpen(token)) return false;
    const slot = token % this.#capacity;
    this.#waiting[slot] = (this.#waiting[slot] ?? 1) - 1;
    if (this.#waiting[slot] !== 0) return false;
    this.#openCount -= 1;
    return true;
  }

  /** The entry waits for nothing more: its record is in quarantine. @returns false when it was not open. */
  finish(token: number): boolean {
    if (!this.isOpen(token)) return false;
    this.#waiting[token % this.#capacity] = 0;
    this.#openCount -= 1;
    return true;
  }

  /** Is the entry known and not done? */
  isOpen(token: number): boolean {
    return token >= this.#head && token < this.#tail && (this.#waiting[token % this.#capacity] ?? 0) > 0;
  }

  recordId(token: number): number {
    return this.#recordIds[token % this.#capacity] ?? 0;
  }

  /** Of the first record that is not done, or null. */
  get firstOpenToken(): number | null {
    return this.count === 0 ? null : this.#head;
  }

  /**
   * Drop the done entries at the head, telling of each.
   *
   * @returns the id the cursor may move to, or null when it stays.
   */
  settle(dropped: (token: number) => void = () => {}): number | null {
    let covered: number | null = null;
    while (this.#head < this.#tail && this.#waiting[this.#head % this.#capacity] === 0) {
      const token = this.#head;
      covered = this.#coversTo[token % this.#capacity] ?? covered;
      // First: whoever is told may push and settle again, before this returns.
      this.#head += 1;
      dropped(token);
    }
    return covered;
  }

  /** Forget every entry; their acks are ignored from now on. */
  reset(): void {
    this.#head = this.#tail;
    this.#openCount = 0;
  }
}
