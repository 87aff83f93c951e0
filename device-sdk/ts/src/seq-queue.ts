/**
 * The numbered messages of one epoch, oldest first, from their number until their ack. Pure bookkeeping, no I/O.
 *
 *        acked          in flight             waiting
 *   ┄┄┄┄┄┄┄┄┄┄┄┤ 5 │ 6 │ 9 (gap 2) │ 10 │ 11 ├┄┄┄ nextSeq = 12
 *        ackedSeq = 4        cursorSeq = 9        tailGap: numbers evicted at the very end
 *
 * When an unacked message is evicted, the next one still held takes over its number and its gap [P-1]. Numbers of
 * messages that were never transmitted (above `transmittedSeq`) are still free to change; others never do.
 */

/** Which rules a message lives under: telemetry and logs may be evicted, the others have reserved room [P-13]. */
export type Lane = "telemetry" | "log" | "command" | "catalog";

/** One message that waits for its ack. */
export interface Entry {
  /** Identity inside the outbox; rises, survives renumbering. */
  readonly ordinal: number;
  readonly lane: Lane;
  /** The encoded body, without number and gap. */
  readonly body: Uint8Array;
  /** Readings inside; 0 for what is not telemetry. */
  readonly samples: number;
  seq: number;
  gap: number;
}

/** What an eviction did: `heir` took over number and gap; null when nothing is held behind it. */
export interface Evicted {
  readonly entry: Entry;
  readonly heir: Entry | null;
}

/** How often the spent front of the array is cut off: rarely enough to cost nothing per message. */
const SPENT_ENTRIES_MAX = 1_024;

/** Messages by number, oldest first, with the gap each one carries. */
export class SeqQueue {
  epoch: number;
  /** No number will be given any more: saved before a restart, or the numbers run out [P-9] [P-10]. */
  closing = false;
  nextSeq = 1;
  ackedSeq = 0;
  /** Highest number ever transmitted in this epoch. */
  transmittedSeq = 0;
  /** How many numbers directly below `nextSeq` were evicted with nothing behind them to carry the gap. */
  tailGap = 0;
  /** Highest number transmitted in this session. */
  #cursorSeq = 0;
  #inFlight: number[] = [];
  /** Slots before `#head` are spent and hold nothing. */
  #entries: (Entry | undefined)[] = [];
  #head = 0;

  constructor(epoch = 0) {
    this.epoch = epoch;
  }

  get held(): number {
    return this.#entries.length - this.#head;
  }

  get inFlight(): number {
    return this.#inFlight.length;
  }

  /** The lowest number still held; `nextSeq` when nothing is. */
  get oldest(): number {
    return this.#entries[this.#head]?.seq ?? this.nextSeq;
  }

  /** The highest number that the gateway can have heard of: transmitted, or announced as gone. */
  get ackableSeq(): number {
    return this.closing ? this.nextSeq - 1 : Math.max(this.transmittedSeq, this.oldest - 1);
  }

  /** What is held, oldest first. */
  *entries(): IterableIterator<Entry> {
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry) yield entry;
    }
  }

  /** Take a message in and give it the next number, with the gap that waited for a carrier. */
  append(entry: Entry): void {
    entry.seq = this.nextSeq++;
    entry.gap = this.tailGap;
    this.tailGap = 0;
    this.#entries.push(entry);
  }

  /** Put back a message that keeps the number and the gap it has (from a saved outbox). */
  restore(entry: Entry): void {
    this.#entries.push(entry);
    this.nextSeq = Math.max(this.nextSeq, entry.seq + 1);
  }

  /** Spend a number on a message that could not be kept at all, so that its loss is as visible as any [P-1]. */
  skip(): void {
    this.nextSeq++;
    this.tailGap++;
  }

  /** Remove the oldest message for which `may` holds; the next one takes over its number and gap [P-1]. */
  evict(may: (entry: Entry) => boolean): Evicted | null {
    for (let i = this.#head; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry && may(entry)) return this.#evictAt(i, entry);
    }
    return null;
  }

  /** Remove everything durable at the gateway. Returns null when `seq` is beyond what can have been said [P-3]. */
  release(seq: number): Entry[] | null {
    if (seq > this.ackableSeq) return null;
    if (seq <= this.ackedSeq) return [];
    this.ackedSeq = seq;
    const released: Entry[] = [];
    for (let first = this.#entries[this.#head]; first && first.seq <= seq; first = this.#entries[this.#head]) {
      released.push(first);
      this.#entries[this.#head++] = undefined;
    }
    this.#inFlight = this.#inFlight.filter((sent) => sent > seq);
    this.#cursorSeq = Math.max(this.#cursorSeq, seq);
    this.#trimGap();
    this.#cutSpent();
    return released;
  }

  /** The next message for the wire, or null when the window is full or all were sent. */
  peek(window: number): Entry | null {
    if (this.#inFlight.length >= window) return null;
    return this.#entries[this.#indexAbove(this.#cursorSeq)] ?? null;
  }

  /** Count what `peek` gave as transmitted: from here on its number is bound. */
  markTransmitted(entry: Entry): void {
    this.#cursorSeq = entry.seq;
    this.transmittedSeq = Math.max(this.transmittedSeq, entry.seq);
    this.#inFlight.push(entry.seq);
  }

  /** Continue sending at `seq`: after a Nack, or at the begin of a session. Never forward [P-2]. */
  rewind(seq: number): void {
    if (seq > this.#cursorSeq) return;
    this.#cursorSeq = Math.max(seq - 1, this.ackedSeq);
    this.#inFlight = this.#inFlight.filter((sent) => sent <= this.#cursorSeq);
  }

  /** Everything unacked is to be sent again: a new session knows nothing of what was in flight. */
  rewindAll(): void {
    this.#cursorSeq = this.ackedSeq;
    this.#inFlight = [];
  }

  /** Number what is held from 1 under a new epoch [P-7]; `more` is put behind it. */
  renumber(epoch: number, more: Iterable<Entry>): void {
    const held = [...this.entries(), ...more];
    this.epoch = epoch;
    this.closing = false;
    this.nextSeq = 1;
    this.ackedSeq = 0;
    this.transmittedSeq = 0;
    this.tailGap = 0;
    this.#entries = [];
    this.#head = 0;
    this.rewindAll();
    for (const entry of held) this.append(entry);
  }

  /**
   * Put messages before the first one that was never transmitted, and move the numbers of all behind them.
   * Used for the catalog, so that the gateway knows the signals before their first reading.
   *
   * @returns the messages whose numbers changed, the inserted ones included
   */
  insertBeforeUntransmitted(inserted: readonly Entry[]): Entry[] {
    const tail = this.#entries.splice(this.#indexAbove(this.transmittedSeq)).filter((entry) => entry !== undefined);
    const first = tail[0];
    const { tailGap } = this;
    if (first) {
      this.nextSeq = first.seq;
      this.tailGap = first.gap;
    }
    for (const entry of inserted) this.append(entry);
    for (const entry of tail) {
      // The gap of the first went to the catalog; those of the others lie between them and move along.
      const gap = entry === first ? 0 : entry.gap;
      this.nextSeq += gap;
      this.append(entry);
      entry.gap = gap;
    }
    if (first) {
      this.nextSeq += tailGap;
      this.tailGap = tailGap;
    }
    return [...inserted, ...tail];
  }

  #evictAt(index: number, entry: Entry): Evicted {
    const heir = this.#entries[index + 1] ?? null;
    if (heir) heir.gap += entry.gap + 1;
    else this.tailGap += entry.gap + 1;
    // The evictable one is at the front or behind a few reserved ones: move those up instead of the long rest.
    this.#entries.copyWithin(this.#head + 1, this.#head, index);
    this.#entries[this.#head++] = undefined;
    this.#cutSpent();
    return { entry, heir };
  }

  /** Acked numbers were not lost: a gap never reaches down to them. */
  #trimGap(): void {
    const first = this.#entries[this.#head];
    if (first) first.gap = Math.min(first.gap, first.seq - 1 - this.ackedSeq);
    this.tailGap = Math.min(this.tailGap, this.nextSeq - 1 - this.ackedSeq);
  }

  #cutSpent(): void {
    if (this.#head < SPENT_ENTRIES_MAX && this.#head < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }

  /** Index of the first message with a number above `seq`; the length when there is none. Binary search. */
  #indexAbove(seq: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#entries[middle];
      if (entry && entry.seq > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
