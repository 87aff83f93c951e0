/**
 * The live feed: what was committed, as viewers see it. One batch a tick, built once for everybody.
 *
 *   spool ─committed─▶ LiveTail ─events─┐
 *   sessions ─presence──────────────────┼─ tick (≤ 10 a second) ─▶ frames ─▶ seats ─▶ WebSocket | SSE
 *   commands ─transitions───────────────┘
 *
 * Nothing here can slow the gateway down: reads are bounded slices, a viewer that does not keep up is left out until
 * it has drained and then gets the newest values only (`conflated:true`).
 */
import { type Clock, repeat } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Counter, Metrics } from "../core/metrics.js";
import type { AdminHost, Unsubscribe } from "./admin-host.js";
import type { CommandView, ReadingView } from "./api-schemas.js";
import { eventFrames, frameOf, type LiveFrame, latestFrames } from "./live-frame.js";
import { LIVE_LIMITS, type LiveLimits } from "./live-limits.js";
import type { PresenceChange } from "./live-messages.js";
import { LiveSeat, type Viewer } from "./live-seat.js";
import { LiveTail, type TailStep } from "./live-tail.js";
import { commandView, presenceChange, statusView } from "./views.js";

/** Changes of presence or commands kept for one tick; more than this many at once are told by the next status. */
const CHANGES_PER_TICK_MAX = 20_000;
/** A viewer that took nothing for this long is closed, to free its place. */
const STUCK_MS_MAX = 120_000;
/** After a failed read. */
const RETRY_MS = 1000;
/** After a quiet time the first news waits only this long, for what comes with it. */
const GATHER_MS = 5;

export interface LiveFeedOptions {
  readonly host: AdminHost;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly limits?: Partial<LiveLimits>;
}

/** Where a viewer wants to go on; empty for a fresh one. */
export interface ResumePoint {
  readonly after?: number | undefined;
  readonly store?: string | undefined;
}

/** Follows the spool and shows it to many viewers. `start` once, `join` per viewer, `stop` once. */
export class LiveFeed {
  readonly limits: LiveLimits;
  readonly #host: AdminHost;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #tail: LiveTail;
  readonly #seats = new Set<LiveSeat>();
  readonly #presence = new Map<string, PresenceChange>();
  readonly #commands = new Map<string, CommandView>();
  readonly #ends: Unsubscribe[] = [];
  readonly #conflations: Counter;
  readonly #refusals: Counter;
  readonly #stuck: Counter;
  #cancelTick: Unsubscribe | null = null;
  #ticking = false;
  /** Monotonic ms of the last tick's start. */
  #tickedMs = Number.NEGATIVE_INFINITY;
  #asking = false;
  #running = false;

  constructor(options: LiveFeedOptions) {
    this.limits = { ...LIVE_LIMITS, ...options.limits };
    this.#host = options.host;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#tail = new LiveTail(options.host.live, this.limits, options.metrics);
    const metrics = options.metrics;
    this.#conflations = metrics.counter(
      "live_conflations",
      "Times a live viewer fell behind and got newest values only",
    );
    this.#refusals = metrics.counter("live_viewers_refused", "Live viewers refused because all places were taken");
    this.#stuck = metrics.counter(
      "live_viewers_stuck",
      "Live viewers closed because they took nothing for two minutes",
    );
    metrics.gauge("live_viewers", "Live viewers connected", () => this.#seats.size);
  }

  get storeId(): string {
    return this.#tail.storeId;
  }

  get viewerCount(): number {
    return this.#seats.size;
  }

  /** The newest values of a device. */
  latestOf(device: string): ReadingView[] {
    return this.#tail.latest.of(device);
  }

  /** The device's identity was removed: drop its values. */
  forgetDevice(device: string): void {
    this.#tail.latest.forget(device);
  }

  /** Read the end of the spool and follow it from there. Rejects when the spool cannot be read. */
  async start(): Promise<void> {
    const { live, devices, commands } = this.#host;
    this.#ends.push(live.onCommitted((id) => this.#wake(() => this.#tail.noteCommitted(id))));
    await this.#tail.open();
    this.#running = true;
    this.#ends.push(
      devices.onPresence((device, now) => this.#wake(() => put(this.#presence, device, presenceChange(device, now)))),
      commands.onChange((command) => this.#wake(() => put(this.#commands, command.commandId, commandView(command)))),
      repeat(this.#clock, this.limits.beatMs, () => this.#beat()),
      repeat(this.#clock, this.limits.statusMs, () => this.#tellStatus()),
    );
    this.#arm();
  }

  stop(): void {
    this.#running = false;
    for (const end of this.#ends.splice(0)) end();
    this.#cancelTick?.();
    this.#cancelTick = null;
    for (const seat of this.#seats) seat.viewer.close("stopping");
    this.#seats.clear();
  }

  /** Is there a place for one more viewer? Counted when not. */
  hasPlace(): boolean {
    if (this.#running && this.#seats.size < this.limits.viewersMax) return true;
    this.#refusals.add();
    return false;
  }

  /** Seat a viewer; call `hasPlace` first. It gets `hello` at once. Returns the way to leave. */
  join(viewer: Viewer, from: ResumePoint): Unsubscribe {
    const after = this.#resumable(from);
    const seat = new LiveSeat(viewer, after ?? this.#tail.scannedTo, this.limits.viewerBufferBytesMax);
    const { gatewayId: gateway, version } = this.#host;
    const hello = { gateway, version, store: this.storeId, id: this.#tail.scannedTo, recovered: after !== null };
    viewer.send(frameOf(seat.reachedId, { type: "hello", ...hello }));
    this.#seats.add(seat);
    if (after !== null) {
      seat.state = "replaying";
      this.#catchUp();
      this.#arm();
    }
    return () => this.#seats.delete(seat);
  }

  /** The record to go on after, when everything behind it can still be shown; else null. */
  #resumable({ after, store }: ResumePoint): number | null {
    if (after === undefined || (store !== undefined && store !== this.storeId)) return null;
    return after <= this.#tail.scannedTo && this.#tail.ring.after(after) !== null ? after : null;
  }

  #wake(note: () => void): void {
    note();
    this.#arm();
  }

  /** Make the next tick happen: one tick's time after the start of the one before, or nearly at once after a pause. */
  #arm(waitMs = this.#tickedMs + this.limits.tickMs - this.#clock.monoMs()): void {
    if (!this.#running || this.#ticking || this.#cancelTick !== null) return;
    this.#cancelTick = this.#clock.after(Math.max(GATHER_MS, waitMs), () => {
      this.#cancelTick = null;
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    this.#ticking = true;
    this.#tickedMs = this.#clock.monoMs();
    let pauseMs: number | undefined;
    try {
      if (this.#tail.pending) this.#show(await this.#tail.step());
    } catch (error) {
      this.#log.warn({ error: String(error) }, "the live feed could not read the spool; it tries again");
      pauseMs = RETRY_MS;
    }
    this.#ticking = false;
    if (!this.#running) return;
    this.#showChanges();
    this.#catchUp();
    if (this.#hasWork()) this.#arm(pauseMs);
  }

  #hasWork(): boolean {
    if (this.#tail.pending || this.#presence.size > 0 || this.#commands.size > 0) return true;
    for (const seat of this.#seats) if (seat.state !== "live") return true;
    return false;
  }

  #show({ events, conflated }: TailStep): void {
    if (events.length === 0 || this.#seats.size === 0) return;
    const frames = eventFrames(events, this.#tail.scannedTo, this.limits.frameBytesMax, conflated);
    for (const seat of this.#seats) {
      if (seat.state === "live" && !seat.advance(frames)) this.#fallBehind(seat);
    }
  }

  #showChanges(): void {
    const id = this.#tail.scannedTo;
    if (this.#presence.size > 0) {
      this.#offer(frameOf(id, { type: "presence", devices: [...this.#presence.values()] }));
      this.#presence.clear();
    }
    if (this.#commands.size > 0) {
      this.#offer(frameOf(id, { type: "commands", commands: [...this.#commands.values()] }));
      this.#commands.clear();
    }
  }

  /** A viewer that misses such a frame is behind: it will be told, and fetches again. */
  #offer(frame: LiveFrame): void {
    for (const seat of this.#seats) {
      if (seat.state === "live" && !seat.offer(frame)) this.#fallBehind(seat);
    }
  }

  #fallBehind(seat: LiveSeat): void {
    seat.fallBehind(this.#clock.monoMs());
    this.#conflations.add();
  }

  /** Bring replaying seats forward, and those back that were behind and have drained. */
  #catchUp(): void {
    const drained: LiveSeat[] = [];
    for (const seat of this.#seats) {
      if (seat.state === "replaying") this.#replay(seat);
      if (seat.state === "behind" && seat.drained) drained.push(seat);
    }
    if (drained.length === 0) return;
    const from = Math.min(...drained.map((seat) => seat.reachedId));
    const changes = this.#tail.latest.since(from);
    const frames = latestFrames(changes, this.#tail.scannedTo, this.limits.frameBytesMax);
    for (const seat of drained) this.#comeBack(seat, frames);
  }

  #replay(seat: LiveSeat): void {
    const events = this.#tail.ring.after(seat.reachedId);
    if (events === null) {
      this.#fallBehind(seat);
      return;
    }
    const done = seat.advance(eventFrames(events, this.#tail.scannedTo, this.limits.frameBytesMax));
    if (done) seat.state = "live";
  }

  #comeBack(seat: LiveSeat, frames: readonly LiveFrame[]): void {
    const last = frames.at(-1);
    // When nothing but presence was missed the offset did not move; it still has to be told that it missed something.
    const done = seat.reachedId === last?.recordId ? seat.offer(last) : seat.advance(frames);
    if (done) seat.state = "live";
    else seat.behindSinceMs = this.#clock.monoMs();
  }

  #beat(): void {
    const message = { type: "beat", id: this.#tail.scannedTo, unixMs: this.#clock.unixMs() } as const;
    const frame = frameOf(this.#tail.scannedTo, message);
    for (const seat of [...this.#seats]) {
      if (!seat.viewer.allowed()) this.#remove(seat, "ended");
      else if (this.#isStuck(seat)) this.#remove(seat, "stuck");
      else seat.offer(frame);
    }
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

  #tellStatus(): void {
    if (this.#seats.size === 0 || this.#asking) return;
    this.#asking = true;
    this.#host
      .status()
      .then((facts) => {
        const frame = frameOf(this.#tail.scannedTo, { type: "status", status: statusView(this.#host, facts) });
        for (const seat of this.#seats) if (seat.state === "live") seat.offer(frame);
      })
      .catch((error) => this.#log.warn({ error: String(error) }, "the status for live viewers could not be read"))
      .finally(() => {
        this.#asking = false;
      });
  }
}

/** Keep the newest change of each key; the oldest key gives way when a tick brings too many. */
function put<T>(changes: Map<string, T>, key: string, value: T): void {
  const oldest = changes.keys().next().value;
  if (changes.size >= CHANGES_PER_TICK_MAX && oldest !== undefined && !changes.has(key)) changes.delete(oldest);
  changes.set(key, value);
}
