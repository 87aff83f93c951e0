/**
 * From frames to acks: the verdict, the gather buffer, the group commit and the two marks.
 *
 *   frame ─admit─▶ gather buffer ──▶ [commits in flight] ──▶ durable mark ──▶ Ack
 *            │                             │
 *            │ accepted mark moves         └─ full, busy: everything behind the durable marks is taken back
 *            └ Nack, duplicate, violation              (accepted = durable), Nack and Flow 0
 *
 * While a commit is in flight, what arrives gathers for the next (group commit); when that is large it follows at once,
 * so that the store finds it there and the devices' next frames are read while it works. Two are in flight at most.
 * When one is refused, the store refuses the one behind it too: what it holds was taken back. After a small commit the
 * next waits a few milliseconds, unless somebody waits for it: a thousand messages a second that come one by one would
 * else be hundreds of commits, each as dear as one of hundreds. The *accepted* mark lives in memory and decides what
 * comes next; the *durable* mark is what was committed and is all that is ever acked [P-3].
 */
import { Reason } from "@tidegate/proto";
import type { Clock, Ticker } from "../core/clock.js";
import type { Metrics } from "../core/metrics.js";
import { ACCEPT, admit, DUPLICATE, type Verdict } from "../model/admit.js";
import { BatchEntry, EntryKind, FLAG_ENDED, GatherBuffer } from "../model/batch.js";
import type { CommitFailure, CommitSuccess, Spool } from "../model/spool.js";
import { Stream, type StreamListener, type StreamNumbers } from "./stream.js";

export interface IntakeLimits {
  /** Gathered and committing bytes together; above it every link stops reading. */
  readonly gatheredBytesMax: number;
  /**
   * Wait this long before a commit, for media that wear out; 0: commit as soon as the disk is free. What a device says
   * of a command does not wait: somebody may.
   */
  readonly commitIntervalMs: number;
  /**
   * So many gathered entries are a large batch, which is committed at once, also behind one that is in flight; not with
   * a commit interval.
   */
  readonly largeBatchEntries: number;
}

/** What a frame brings along beside its verdict; filled by the session, read during the call only. */
export interface FrameFacts {
  /** Where in the bytes lies what is kept of it. */
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly seq: number;
  readonly gap: number;
  readonly kind: number;
  readonly accuracy: number;
  readonly receivedUnixMs: number;
  readonly baseUnixMs: number;
}

export interface IntakeHost {
  /** True: stop reading from every link; false: go on. */
  pressure(on: boolean): void;
  /** A batch of that many bytes is on disk. */
  committed(outcome: CommitSuccess, bytes: number): void;
}

/** Of what is gathered: nothing planned, until a moment, in this turn. */
type Phase = "idle" | "waiting" | "scheduled";

/** One per gateway. Sessions offer frames; acks come back through each stream's listener. */
export class Intake {
  readonly #spool: Pick<Spool, "commit">;
  readonly #clock: Clock & Ticker;
  readonly #limits: IntakeLimits;
  readonly #host: IntakeHost;
  readonly #gather: GatherBuffer;
  readonly #entry = new BatchEntry();
  /** Streams by device key; one per device, the one of its current session. */
  readonly #streams = new Map<number, Stream>();
  readonly #counters: ReturnType<typeof intakeCounters>;
  #phase: Phase = "idle";
  #cancelWait: () => void = () => {};
  #inFlight = 0;
  #committingBytes = 0;
  /** Batches that the store refused, not counting those that were behind one. */
  #refusals = 0;
  /** Number of the batch that is being gathered. */
  #batchNumber = 1;
  /** Devices without a session whose last one has entries in that batch. */
  readonly #leftBehind = new Set<string>();
  /** Among what is gathered is the word of a device on a command, or a device has used half of its window. */
  #isUrgent = false;
  /** When the next commit may begin, in monotonic ms, unless it is urgent. */
  #notBeforeMonoMs = Number.NEGATIVE_INFINITY;
  /** Buffers that came back: as many as can be in flight. */
  readonly #spares: ArrayBuffer[] = [];
  #pressed = false;
  /** Hellos that wait until what their device left stands in the storage queue. */
  #barriers: (() => void)[] = [];
  #drains: (() => void)[] = [];
  /** At most one entry per stream. */
  readonly #starved: Stream[] = [];

  constructor(
    spool: Pick<Spool, "commit">,
    clock: Clock & Ticker,
    metrics: Metrics,
    options: { limits: IntakeLimits; host: IntakeHost },
  ) {
    this.#spool = spool;
    this.#clock = clock;
    this.#limits = options.limits;
    this.#host = options.host;
    // One frame more than the limit: `offer` checks before it knows how large the frame is.
    this.#gather = new GatherBuffer(options.limits.gatheredBytesMax * 2);
    this.#counters = intakeCounters(metrics);
  }

  /** Take a session's numbers in; an older stream of the same device hears of nothing any more. */
  open(numbers: StreamNumbers, listener: StreamListener): Stream {
    const stream = new Stream(numbers, listener);
    this.#streams.set(stream.deviceKey, stream);
    return stream;
  }

  /** The session ended. What it gathered still commits; its acks go nowhere. */
  close(stream: Stream): void {
    if (this.#streams.get(stream.deviceKey) === stream) this.#streams.delete(stream.deviceKey);
    if (stream.gatheredIn === this.#batchNumber) this.#leftBehind.add(stream.device);
  }

  /**
   * One reliable frame: verdict, and when it is taken its body is copied into the batch.
   * @param bytes the frame; read during the call only.
   */
  offer(stream: Stream, facts: FrameFacts, bytes: Uint8Array): Verdict | "paused" {
    const isFull = this.heldBytes > this.#limits.gatheredBytesMax;
    if (stream.paused || isFull) {
      this.#counters.refused.value += 1;
      if (isFull) this.#starve(stream);
      return "paused";
    }
    const verdict = admit(stream.accepted, facts.seq, facts.gap);
    if (verdict === ACCEPT) {
      stream.accepted = facts.seq;
      if (facts.seq > stream.announced) stream.announced = facts.seq;
      stream.unusedEpoch = false;
      this.#append(stream, facts, facts.kind, bytes);
      this.#counters.accepted.value += 1;
      const isHalfUsed = stream.accepted - stream.durable >= stream.window / 2;
      if (isHalfUsed || facts.kind === EntryKind.commandUpdate) this.#isUrgent = true;
      this.#schedule();
    } else if (verdict === DUPLICATE) {
      this.#counters.duplicates.value += 1;
      this.#append(stream, facts, EntryKind.duplicate, bytes);
      this.#schedule();
    }
    return verdict;
  }

  /**
   * A heartbeat said what exists [P-12]. Numbers below `oldest` that never came are gone: the mark moves over them.
   * @param ended the device says goodbye: nothing will follow in this epoch.
   */
  announce(stream: Stream, nextSeq: number, oldest: number, ended = false): void {
    if (nextSeq === 0 || oldest === 0 || oldest > nextSeq) return;
    const highest = nextSeq - 1;
    const gone = oldest - 1 > stream.accepted;
    if (highest > stream.announced) stream.announced = highest;
    // What exists must be known durably: it tells a device that went back in time, and where an open end ends [P-7].
    if (!gone && !stream.unusedEpoch && !ended && stream.announced === stream.announcedStored) return;
    const entry = this.#entry;
    entry.deviceKey = stream.deviceKey;
    entry.epoch = stream.epoch;
    entry.seq = gone ? oldest - 1 : stream.accepted;
    entry.gap = gone ? oldest - 1 - stream.accepted : 0;
    entry.announced = stream.announced;
    stream.announcedStored = stream.announced;
    entry.kind = EntryKind.announce;
    entry.accuracy = 0;
    entry.flags = ended ? FLAG_ENDED : 0;
    entry.receivedUnixMs = this.#clock.unixMs();
    entry.baseUnixMs = entry.receivedUnixMs;
    if (gone) stream.accepted = oldest - 1;
    stream.unusedEpoch = false;
    stream.gatheredIn = this.#batchNumber;
    this.#gather.append(entry, EMPTY);
    this.#schedule();
  }

  /**
   * Resolves when everything gathered from the device's older session, which is closed, was handed to the storage
   * queue, or taken back: what is posted next stands behind it [P-4]. While commits are in flight the end of one is
   * waited for, so that all who wait meanwhile share the one that follows. A device that left nothing here does not
   * hurry the commit of the others: after a power cut they all come at once.
   */
  async barrier(device: string): Promise<void> {
    if (!this.#leftBehind.has(device)) return;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#barriers.push(resolve));
    else void this.#commit();
  }

  /** Resolves when nothing is gathered and nothing commits: for an ordered stop. */
  async drained(): Promise<void> {
    while (this.#inFlight > 0 || this.#gather.entryCount > 0) {
      if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#drains.push(resolve));
      else await this.#commit();
    }
  }

  /** The store has space again: every paused device may go on. */
  resume(): void {
    for (const stream of this.#streams.values()) {
      if (!stream.paused) continue;
      stream.paused = false;
      stream.listener.resumed(stream.window);
    }
  }

  /** Bytes gathered and committing: for the metrics. */
  get heldBytes(): number {
    return this.#gather.usedBytes + this.#committingBytes;
  }

  #append(stream: Stream, facts: FrameFacts, kind: number, bytes: Uint8Array): void {
    const entry = this.#entry;
    entry.deviceKey = stream.deviceKey;
    entry.epoch = stream.epoch;
    entry.seq = facts.seq;
    entry.gap = facts.gap;
    entry.announced = stream.announced;
    stream.announcedStored = stream.announced;
    entry.kind = kind;
    entry.accuracy = facts.accuracy;
    entry.flags = 0;
    entry.receivedUnixMs = facts.receivedUnixMs;
    entry.baseUnixMs = facts.baseUnixMs;
    stream.gatheredIn = this.#batchNumber;
    this.#gather.append(entry, bytes, facts.bodyStart, facts.bodyEnd);
  }

  /** Commit what is gathered: at once when it is much, soon when it is urgent, else when the pace allows. */
  #schedule(): void {
    this.#relievePressure();
    if (this.#isLarge && this.#inFlight < IN_FLIGHT_MAX) {
      void this.#commit();
    } else if (this.#inFlight > 0) {
      return; // the end of one of them looks again
    } else if (this.#phase === "idle") {
      const waitMs = this.#isUrgent ? 0 : this.#waitMs();
      if (waitMs > 0) {
        this.#phase = "waiting";
        this.#cancelWait = this.#clock.after(waitMs, () => void this.#commit());
      } else {
        this.#commitSoon();
      }
    } else if (this.#phase === "waiting" && this.#isUrgent) {
      this.#cancelWait();
      this.#commitSoon();
    }
  }

  get #isLarge(): boolean {
    const { commitIntervalMs, largeBatchEntries } = this.#limits;
    return commitIntervalMs === 0 && this.#gather.entryCount >= largeBatchEntries;
  }

  #waitMs(): number {
    const { commitIntervalMs } = this.#limits;
    return commitIntervalMs > 0 ? commitIntervalMs : this.#notBeforeMonoMs - this.#clock.monoMs();
  }

  #commitSoon(): void {
    this.#phase = "scheduled";
    this.#clock.soon(() => {
      if (this.#phase === "scheduled") void this.#commit();
    });
  }

  async #commit(): Promise<void> {
    this.#cancelWait();
    const bytes = this.#gather.usedBytes;
    const batch = this.#gather.take(this.#spares.pop(), this.#refusals);
    this.#beginBatch();
    this.#isUrgent = false;
    if (batch.entryCount < SMALL_BATCH_ENTRIES) this.#notBeforeMonoMs = this.#clock.monoMs() + SMALL_BATCH_PACE_MS;
    this.#phase = "idle";
    this.#inFlight += 1;
    this.#committingBytes += bytes;
    const outcome = await this.#spool.commit(batch);
    this.#inFlight -= 1;
    this.#committingBytes -= bytes;
    if (outcome.buffer.byteLength <= SPARE_BYTES_MAX && this.#spares.length < IN_FLIGHT_MAX) {
      this.#spares.push(outcome.buffer);
    }
    if (outcome.ok) this.#succeeded(outcome, bytes);
    // What was packed before a refusal was known is refused for being behind it, and was taken back with it.
    else if (batch.refusalsKnown === this.#refusals) this.#failed(outcome);
    this.#relievePressure();
    this.#feed();
    const barriers = this.#barriers.splice(0);
    if (this.#gather.entryCount > 0) {
      if (barriers.length > 0) void this.#commit();
      else this.#schedule();
    }
    for (const wake of barriers) wake();
    for (const wake of this.#drains.splice(0)) wake();
  }

  #succeeded(outcome: CommitSuccess, bytes: number): void {
    this.#counters.stored.value += outcome.storedCount;
    this.#counters.gaps.value += outcome.gapCount;
    this.#counters.conflicts.value += outcome.conflictCount;
    const marks = outcome.marks;
    for (let i = 0; i + 2 < marks.length; i += 3) {
      const stream = this.#streams.get(marks[i] ?? 0);
      const mark = marks[i + 2] ?? 0;
      if (stream === undefined || stream.epoch !== marks[i + 1]) continue;
      if (mark > stream.durable) stream.durable = mark;
      stream.listener.acked(stream.durable);
    }
    this.#host.committed(outcome, bytes);
  }

  /** What was gathered has left: nobody's Hello waits for it. */
  #beginBatch(): void {
    this.#batchNumber += 1;
    this.#leftBehind.clear();
  }

  /** Nothing of the batch was stored, and what gathered behind it stands on numbers that do not exist. */
  #failed(outcome: CommitFailure): void {
    this.#counters.failures.value += 1;
    this.#refusals += 1;
    this.#gather.clear();
    this.#beginBatch();
    const reason = outcome.reason === "full" ? Reason.STORAGE_FULL : Reason.STORAGE_BUSY;
    for (const stream of this.#streams.values()) {
      if (stream.accepted === stream.durable && !stream.paused && outcome.reason === "busy") continue;
      stream.accepted = stream.durable;
      stream.announcedStored = stream.durable;
      stream.paused = true;
      stream.listener.refused(stream.durable + 1, reason, outcome.retryAfterMs);
    }
    if (outcome.reason === "busy") this.#clock.after(outcome.retryAfterMs, () => this.resume());
  }

  /** What it sent is not here, and perhaps it has nothing more to send that would show it: it must be asked. */
  #starve(stream: Stream): void {
    if (stream.starved) return;
    stream.starved = true;
    this.#starved.push(stream);
  }

  /** There is room again: whoever was left out begins again where it was cut off. */
  #feed(): void {
    if (this.heldBytes > this.#limits.gatheredBytesMax / 2) return;
    for (const stream of this.#starved.splice(0)) {
      stream.starved = false;
      if (stream.paused || this.#streams.get(stream.deviceKey) !== stream) continue;
      stream.listener.refused(stream.accepted + 1, Reason.STORAGE_BUSY, 0);
      stream.listener.resumed(stream.window);
    }
  }

  #relievePressure(): void {
    const held = this.heldBytes;
    if (!this.#pressed && held > this.#limits.gatheredBytesMax * 0.75) {
      this.#pressed = true;
      this.#counters.pressure.value += 1;
      this.#host.pressure(true);
    } else if (this.#pressed && held < this.#limits.gatheredBytesMax / 2) {
      this.#pressed = false;
      this.#host.pressure(false);
    }
  }
}

const EMPTY = new Uint8Array(0);
/** One that the store works on, and one that it finds when it is done. */
const IN_FLIGHT_MAX = 2;
/** A batch of fewer entries is small; from the begin of its commit the next waits so many ms. */
const SMALL_BATCH_ENTRIES = 32;
const SMALL_BATCH_PACE_MS = 10;
/** A returned buffer larger than this is left to the garbage collector instead of being kept for the next batch. */
const SPARE_BYTES_MAX = 4 * 1024 * 1024;

function intakeCounters(metrics: Metrics) {
  return {
    accepted: metrics.counter("frames_accepted", "Reliable frames accepted, before their commit"),
    stored: metrics.counter("records_stored", "Records committed to the spool"),
    duplicates: metrics.counter("frames_duplicate", "Repeats of frames already accepted"),
    conflicts: metrics.counter("frames_conflict", "Repeats whose bytes differ from what was stored"),
    gaps: metrics.counter("gaps", "Gap entries written"),
    failures: metrics.counter("commits_failed", "Commits that were taken back because the store was full or busy"),
    refused: metrics.counter("frames_refused", "Frames not taken while the store or the buffer was full"),
    pressure: metrics.counter("intake_pressure", "Times that reading from devices was stopped by the gather limit"),
  };
}
