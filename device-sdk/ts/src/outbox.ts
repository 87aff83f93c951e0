/**
 * The outbox: every reliable message from the moment it is reported until the gateway has it on disk.
 *
 *   append ──▶ ┌ next ─────────────┐      ┌ current ──────────────┐ ──▶ transmit ──▶ wire
 *              │ only while current │ ───▶ │ one epoch, numbered    │
 *              │ drains (closing)   │      │                        │ ◀── release (ack)
 *              └────────────────────┘      └───────────────────────┘
 *
 * Bounded in messages and bytes: when it is full the oldest telemetry or log goes, and the loss travels as a gap with
 * the next message [P-1]. Command updates and the catalog have reserved room that telemetry cannot take [P-13]. Pure
 * memory; `outbox-store.ts` watches it and keeps a copy on disk.
 */
import { HEAD_BYTES_MAX } from "./frame-head.js";
import {
  EMPTY_OUTBOX,
  OUTBOX_LIMITS,
  type OutboxLimits,
  type OutboxMarks,
  type OutboxWatcher,
  type SavedOutbox,
  type SavedQueue,
} from "./outbox-types.js";
import { type Entry, type Lane, SeqQueue } from "./seq-queue.js";

/** What one message costs beside its bytes: number, gap, list slot. */
export const ENTRY_OVERHEAD_BYTES = 64;

/** The bounded queue of unacked messages, in memory. */
export class Outbox {
  readonly #limits: OutboxLimits;
  #current: SeqQueue;
  #next: SeqQueue | null;
  #watchers: OutboxWatcher[] = [];
  #ordinal = 0;
  readonly #used = {
    telemetry: { bytes: 0, messages: 0 },
    command: { bytes: 0, messages: 0 },
    catalog: { bytes: 0, messages: 0 },
  };
  /** Messages evicted since the start. */
  droppedMessages = 0;

  constructor(limits: OutboxLimits = OUTBOX_LIMITS, saved: SavedOutbox = EMPTY_OUTBOX) {
    this.#limits = limits;
    const { current, next } = saved;
    const isDrained = current.epoch !== 0 && current.entries.length === 0 && current.tailGap === 0;
    this.#current = this.#restore(isDrained ? next : current);
    this.#next = this.#current.closing ? this.#restore(next) : null;
  }

  /** Be told of changes from now on. */
  watch(watcher: OutboxWatcher): void {
    this.#watchers.push(watcher);
  }

  get marks(): OutboxMarks {
    const { epoch, closing, nextSeq, oldest, ackedSeq, ackableSeq, held, inFlight } = this.#current;
    return { epoch, closing, nextSeq, oldest, ackedSeq, ackableSeq, held, inFlight };
  }

  /** Messages held, of both epochs. */
  get messages(): number {
    return this.#used.telemetry.messages + this.#used.command.messages + this.#used.catalog.messages;
  }

  /** Bytes held, bookkeeping included. */
  get bytes(): number {
    return this.#used.telemetry.bytes + this.#used.command.bytes + this.#used.catalog.bytes;
  }

  /** How many messages fit: what Hello states as `outbox_frames`. */
  get capacity(): number {
    return this.#limits.messagesMax + this.#limits.reservedMessagesMax;
  }

  /** The two queues, for the store: `next` is null unless the current epoch is being drained. */
  get queues(): { readonly current: SeqQueue; readonly next: SeqQueue | null } {
    return { current: this.#current, next: this.#next };
  }

  /** How many command updates still fit. */
  get reservedRoom(): number {
    return Math.max(0, this.#limits.reservedMessagesMax - this.#used.command.messages);
  }

  /**
   * Take a message in. Telemetry and logs always fit: the oldest of them goes when there is no room.
   *
   * @param lane which room it may use
   * @param body the encoded body (`encodeBody`); kept, not copied
   * @param samples readings inside, for the count of what a loss cost
   * @returns false only for a command update whose reserved room is full; then nothing changed
   */
  append(lane: Exclude<Lane, "catalog">, body: Uint8Array, samples = 0): boolean {
    const bytes = body.length + ENTRY_OVERHEAD_BYTES;
    if (lane === "command") {
      if (!this.#fitsReserved(bytes)) return false;
    } else if (bytes > this.#limits.bytesMax) {
      this.#tail().skip();
      this.#countDrop({ ordinal: ++this.#ordinal, lane, body, samples, seq: 0, gap: 0 });
      return true;
    } else {
      this.#makeRoom(bytes);
    }
    const entry = this.#entry(lane, body, samples);
    this.#tail().append(entry);
    for (const watcher of this.#watchers) watcher.appended(entry);
    return true;
  }

  /**
   * Put the parts of the catalog before the first message that was never transmitted, unless one is still held.
   * While an old epoch drains nothing is inserted: it takes no new numbers.
   */
  offerCatalog(parts: readonly Uint8Array[]): void {
    const isHeld = [...this.#current.entries()].some((entry) => entry.lane === "catalog");
    if (isHeld || this.#current.closing) return;
    const inserted = parts.map((part) => this.#entry("catalog", part, 0));
    const moved = this.#current.insertBeforeUntransmitted(inserted);
    for (const watcher of this.#watchers) {
      for (const entry of inserted) watcher.appended(entry);
      for (const entry of moved) watcher.moved(entry);
    }
  }

  /** Everything up to `seq` is durable at the gateway. Returns how many messages that freed; null: ignored [P-3]. */
  release(seq: number): number | null {
    const released = this.#current.release(seq);
    if (!released) return null;
    for (const entry of released) this.#remove(entry, "acked");
    return released.length;
  }

  /** Continue sending at `seq`, after a Nack [P-2]. */
  rewind(seq: number): void {
    this.#current.rewind(seq);
  }

  /** Send again everything that was sent and not acked, on a link that loses frames [P-11]. */
  rewindAll(): void {
    this.#current.rewindAll();
  }

  /**
   * Go on under the epoch of a Welcome [P-6] [P-7], and send everything unacked again.
   * The first epoch keeps the numbers (and with them the losses before it); another one renumbers what is held.
   *
   * @returns how many messages the Welcome's mark freed
   */
  adopt(epoch: number, ackedSeq: number): number {
    const queue = this.#current;
    if (queue.epoch === 0) {
      queue.epoch = epoch;
    } else if (queue.epoch !== epoch) {
      queue.renumber(epoch, this.#next?.entries() ?? []);
      this.#next = null;
      this.#allMoved();
    }
    // An epoch that is being drained may have been acked further than what was saved of it.
    const freed = this.release(queue.closing ? Math.min(ackedSeq, queue.nextSeq - 1) : ackedSeq) ?? 0;
    queue.rewindAll();
    return freed;
  }

  /** Leave the drained epoch: what was reported meanwhile becomes current and asks for a new one [P-9] [P-10]. */
  rotate(): void {
    if (this.#current.held > 0) return;
    this.#current = this.#next ?? new SeqQueue();
    this.#next = null;
    this.#allMoved();
  }

  /** Number what is held from 1 and ask for a new epoch: this one is somebody else's as well [P-7]. */
  leaveEpoch(): void {
    this.#current.renumber(0, this.#next?.entries() ?? []);
    this.#next = null;
    this.#allMoved();
  }

  /**
   * The next message for the wire, counted as transmitted; null when the window is full or everything was sent.
   *
   * @param window most messages in flight
   * @param frameBytesMax what the gateway takes; a larger message is dropped and becomes part of a gap
   */
  transmit(window: number, frameBytesMax: number): Entry | null {
    for (;;) {
      const entry = this.#current.peek(window);
      if (!entry) return null;
      if (entry.body.length + HEAD_BYTES_MAX <= frameBytesMax) {
        this.#current.markTransmitted(entry);
        return entry;
      }
      this.#drop((held) => held === entry);
    }
  }

  #allMoved(): void {
    for (const entry of this.#current.entries()) for (const watcher of this.#watchers) watcher.moved(entry);
  }

  #fitsReserved(bytes: number): boolean {
    const { messages, bytes: used } = this.#used.command;
    return messages < this.#limits.reservedMessagesMax && used + bytes <= this.#limits.reservedBytesMax;
  }

  #makeRoom(bytes: number): void {
    const { telemetry } = this.#used;
    while (telemetry.messages >= this.#limits.messagesMax || telemetry.bytes + bytes > this.#limits.bytesMax) {
      if (!this.#drop(isDroppable)) return;
    }
  }

  #drop(may: (entry: Entry) => boolean): boolean {
    const evicted = this.#current.evict(may) ?? this.#next?.evict(may) ?? null;
    if (!evicted) return false;
    this.#remove(evicted.entry, "dropped");
    if (evicted.heir) for (const watcher of this.#watchers) watcher.moved(evicted.heir);
    return true;
  }

  /** The queue that gives new numbers; a second one while the first is being drained. */
  #tail(): SeqQueue {
    if (this.#next) return this.#next;
    if (!this.#current.closing && this.#current.nextSeq < this.#limits.drainAtSeq) return this.#current;
    this.#current.closing = true;
    this.#next = new SeqQueue();
    return this.#next;
  }

  #entry(lane: Lane, body: Uint8Array, samples: number): Entry {
    const entry = { ordinal: ++this.#ordinal, lane, body, samples, seq: 0, gap: 0 };
    this.#account(entry, 1);
    return entry;
  }

  #remove(entry: Entry, why: "acked" | "dropped"): void {
    this.#account(entry, -1);
    if (why === "dropped") this.#countDrop(entry);
    else for (const watcher of this.#watchers) watcher.removed(entry, why);
  }

  #countDrop(entry: Entry): void {
    this.droppedMessages++;
    for (const watcher of this.#watchers) watcher.removed(entry, "dropped");
  }

  #account(entry: Entry, sign: 1 | -1): void {
    const room = this.#used[entry.lane === "log" ? "telemetry" : entry.lane];
    room.messages += sign;
    room.bytes += sign * (entry.body.length + ENTRY_OVERHEAD_BYTES);
  }

  #restore(saved: SavedQueue): SeqQueue {
    const queue = new SeqQueue(saved.epoch);
    for (const entry of saved.entries) {
      this.#ordinal = Math.max(this.#ordinal, entry.ordinal);
      this.#account(entry, 1);
      queue.restore(entry);
    }
    queue.nextSeq = Math.max(queue.nextSeq, saved.nextSeq);
    queue.tailGap = saved.tailGap;
    queue.ackedSeq = saved.ackedSeq;
    queue.rewindAll();
    if (saved.epoch !== 0) {
      // Anything may have been sent before the restart, so every number is bound; and none is added.
      queue.closing = true;
      queue.transmittedSeq = queue.nextSeq - 1;
    }
    return queue;
  }
}

function isDroppable(entry: Entry): boolean {
  return entry.lane === "telemetry" || entry.lane === "log";
}
