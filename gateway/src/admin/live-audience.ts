/**
 * Everybody who watches: seats in step, replaying, or behind; each batch goes to all of them as the same frames.
 *
 *   frames ─▶ seat in step ─▶ sent            buffer full ─▶ behind ─▶ drained ─▶ newest values, in step again
 */
import type { Clock } from "../core/clock.js";
import type { Counter, Metrics } from "../core/metrics.js";
import { eventFrames, frameOf, type LiveFrame, latestFrames } from "./live-frame.js";
import type { LiveLimits } from "./live-limits.js";
import { LiveSeat, type Viewer } from "./live-seat.js";
import type { LiveTail, TailStep } from "./live-tail.js";

/** A viewer that took nothing for this long is closed, to free its place. */
const STUCK_MS_MAX = 120_000;

/** The seats of the feed. The feed bounds how many there are. */
export class LiveAudience {
  readonly #tail: LiveTail;
  readonly #clock: Clock;
  readonly #limits: LiveLimits;
  readonly #seats = new Set<LiveSeat>();
  readonly #conflations: Counter;
  readonly #stuck: Counter;

  constructor(tail: LiveTail, clock: Clock, limits: LiveLimits, metrics: Metrics) {
    this.#tail = tail;
    this.#clock = clock;
    this.#limits = limits;
    this.#conflations = metrics.counter(
      "live_conflations",
      "Times a live viewer fell behind and got newest values only",
    );
    this.#stuck = metrics.counter(
      "live_viewers_stuck",
      "Live viewers closed because they took nothing for two minutes",
    );
    metrics.gauge("live_buffered_bytes", "Bytes that wait for live viewers to take them", () => this.bufferedBytes);
  }

  /** What waits for all of them together. */
  get bufferedBytes(): number {
    let bytes = 0;
    for (const { viewer } of this.#seats) bytes += viewer.bufferedBytes();
    return bytes;
  }

  get count(): number {
    return this.#seats.size;
  }

  /** Is anybody not in step? */
  get isUneven(): boolean {
    for (const seat of this.#seats) if (seat.state !== "live") return true;
    return false;
  }

  /** @param after the record to go on behind, which the replay ring covers; null for a fresh viewer. */
  seat(viewer: Viewer, after: number | null): LiveSeat {
    const seat = new LiveSeat(viewer, after ?? this.#tail.scannedTo, this.#limits.viewerBufferBytesMax);
    if (after !== null) seat.state = "replaying";
    this.#seats.add(seat);
    return seat;
  }

  leave(viewer: Viewer): void {
    for (const seat of this.#seats) if (seat.viewer === viewer) this.#seats.delete(seat);
  }

  closeAll(): void {
    for (const seat of this.#seats) seat.viewer.close("stopping");
    this.#seats.clear();
  }

  /** What a turn of the tail brought. */
  show({ events, conflated }: TailStep): void {
    if (events.length === 0 || this.#seats.size === 0) return;
    const frames = eventFrames(events, this.#tail.scannedTo, this.#limits.frameBytesMax, conflated);
    for (const seat of this.#seats) {
      if (seat.state === "live" && !seat.advance(frames)) this.#fallBehind(seat);
    }
  }

  /** A viewer that misses such a frame is behind: it will be told, and fetches again. */
  offer(frame: LiveFrame): void {
    for (const seat of this.#seats) {
      if (seat.state === "live" && !seat.offer(frame)) this.#fallBehind(seat);
    }
  }

  /** A frame that may be missed without harm, because the next one says it again. */
  mention(frame: LiveFrame): void {
    for (const seat of this.#seats) if (seat.state === "live") seat.offer(frame);
  }

  /** Bring replaying seats forward, and those back that were behind and have drained. */
  catchUp(): void {
    const drained: LiveSeat[] = [];
    for (const seat of this.#seats) {
      if (seat.state === "replaying") this.#replay(seat);
      if (seat.state === "behind" && seat.drained) drained.push(seat);
    }
    if (drained.length === 0) return;
    const from = Math.min(...drained.map((seat) => seat.reachedId));
    const changes = this.#tail.latest.since(from);
    const frames = latestFrames(changes, this.#tail.scannedTo, this.#limits.frameBytesMax);
    for (const seat of drained) this.#comeBack(seat, frames);
  }

  /** A sign of life to everybody; those whose login ended and those who are stuck have to go. */
  beat(): void {
    const message = { type: "beat", id: this.#tail.scannedTo, unixMs: this.#clock.unixMs() } as const;
    const frame = frameOf(this.#tail.scannedTo, message);
    for (const seat of [...this.#seats]) {
      if (!seat.viewer.allowed()) this.#remove(seat, "ended");
      else if (this.#isStuck(seat)) this.#remove(seat, "stuck");
      else seat.offer(frame);
    }
  }

  #replay(seat: LiveSeat): void {
    const events = this.#tail.ring.after(seat.reachedId);
    if (events === null) {
      this.#fallBehind(seat);
      return;
    }
    const done = seat.advance(eventFrames(events, this.#tail.scannedTo, this.#limits.frameBytesMax));
    if (done) seat.state = "live";
  }

  #comeBack(seat: LiveSeat, frames: readonly LiveFrame[]): void {
    const last = frames.at(-1);
    // When nothing but presence was missed the offset did not move; it still has to be told that it missed something.
    const done = seat.reachedId === last?.recordId ? seat.offer(last) : seat.advance(frames);
    if (done) seat.state = "live";
    else seat.behindSinceMs = this.#clock.monoMs();
  }

  #fallBehind(seat: LiveSeat): void {
    seat.fallBehind(this.#clock.monoMs());
    this.#conflations.add();
  }

  #isStuck(seat: LiveSeat): boolean {
    const stuck = seat.state === "behind" && this.#clock.monoMs() - seat.behindSinceMs >= STUCK_MS_MAX;
    if (stuck) this.#stuck.add();
    return stuck;
  }

  #remove(seat: LiveSeat, why: "ended" | "stuck"): void {
    this.#seats.delete(seat);
    seat.viewer.close(why);
  }
}
