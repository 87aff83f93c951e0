/**
 * The live feed: what was committed, as viewers see it. One batch a tick, built once for everybody.
 *
 *   spool ─committed─▶ LiveTail ─events─┐
 *   sessions ─presence──────────────────┼─ tick (≤ 20 a second) ─▶ frames ─▶ seats ─▶ WebSocket | SSE
 *   commands ─transitions───────────────┘
 *
 * Nothing here can slow the gateway down: while nobody looks nothing is read (live-tail.ts); reads are bounded slices;
 * a viewer that does not keep up is left out until it has drained and then gets the newest values only
 * (`conflated:true`). The first viewer after a quiet time is greeted once the tail has caught up.
 */
import { type Clock, repeat } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Counter, Metrics } from "../core/metrics.js";
import type { AdminHost, Unsubscribe } from "./admin-host.js";
import type { ReadingView } from "./api-schemas.js";
import { LiveAudience } from "./live-audience.js";
import { LiveChanges } from "./live-changes.js";
import { frameOf } from "./live-frame.js";
import { LIVE_LIMITS, type LiveLimits } from "./live-limits.js";
import type { Viewer } from "./live-seat.js";
import { type Following, LiveTail } from "./live-tail.js";
import { commandView, presenceChange, statusView } from "./views.js";

/** After a failed read. */
const RETRY_MS = 1000;
/** The newest values are brought up to date for those who ask no more often than this. */
const LOOK_EVERY_MS = 100;
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
  readonly #audience: LiveAudience;
  /** Viewers to be greeted when the tail has caught up; at most as many as there are places. */
  readonly #arriving = new Set<{ readonly viewer: Viewer; readonly from: ResumePoint }>();
  /** Those who asked for the newest values, once. */
  #looks: (() => void)[] = [];
  readonly #changes = new LiveChanges();
  readonly #ends: Unsubscribe[] = [];
  readonly #refusals: Counter;
  #cancelTick: Unsubscribe | null = null;
  #ticking = false;
  /** Monotonic ms of the last tick's start. */
  #tickedMs = Number.NEGATIVE_INFINITY;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #asking = false;
  #running = false;

  constructor(options: LiveFeedOptions) {
    this.limits = { ...LIVE_LIMITS, ...options.limits };
    this.#host = options.host;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#tail = new LiveTail(options.host.live, this.limits, options.metrics);
    const { metrics } = options;
    this.#audience = new LiveAudience(this.#tail, this.#clock, this.limits, metrics);
    this.#refusals = metrics.counter("live_viewers_refused", "Live viewers refused because all places were taken");
    metrics.gauge("live_viewers", "Live viewers connected", () => this.viewerCount);
  }

  get storeId(): string {
    return this.#tail.storeId;
  }

  get viewerCount(): number {
    return this.#audience.count + this.#arriving.size;
  }

  /** Bring the newest values up to date; resolves when they are, or cannot be read right now. */
  freshen(): Promise<void> {
    const isFresh = !this.#tail.pending || this.#tail.following === "events";
    if (!this.#running || isFresh || this.#clock.monoMs() - this.#lookedMs < LOOK_EVERY_MS) return Promise.resolve();
    const done = new Promise<void>((resolve) => this.#looks.push(resolve));
    this.#hurry();
    return done;
  }

  /** The newest values of a device, as of the last `freshen` or of the last batch that viewers got. */
  latestOf(device: string): ReadingView[] {
    return this.#tail.latest.of(device);
  }

  /** The device's identity was removed: drop its values. */
  forgetDevice(device: string): void {
    this.#tail.latest.forget(device);
  }

  /** Find the end of the spool; it is followed from there while somebody looks. Rejects when it cannot be read. */
  async start(): Promise<void> {
    const { live, devices, commands } = this.#host;
    this.#ends.push(
      live.onCommitted((id) => {
        this.#tail.noteCommitted(id);
        if (this.#wanted !== "nothing") this.#arm();
      }),
    );
    await this.#tail.open();
    this.#running = true;
    this.#ends.push(
      devices.onPresence((device, now) => this.#tell(() => this.#changes.presence(presenceChange(device, now)))),
      commands.onChange((command) => this.#tell(() => this.#changes.command(commandView(command)))),
      repeat(this.#clock, this.limits.beatMs, () => this.#audience.beat()),
      repeat(this.#clock, this.limits.statusMs, () => this.#tellStatus()),
    );
    if (this.#wanted !== "nothing") this.#arm();
  }

  stop(): void {
    this.#running = false;
    for (const end of this.#ends.splice(0)) end();
    this.#cancelTick?.();
    this.#cancelTick = null;
    this.#audience.closeAll();
    for (const { viewer } of this.#arriving) viewer.close("stopping");
    this.#arriving.clear();
    for (const done of this.#looks.splice(0)) done();
  }

  /** Is there a place for one more viewer? Counted when not. */
  hasPlace(): boolean {
    if (this.#running && this.viewerCount < this.limits.viewersMax) return true;
    this.#refusals.add();
    return false;
  }

  /**
   * Seat a viewer; call `hasPlace` first. It gets `hello` at once, or as soon as the tail has caught up when nobody
   * looked before. Returns the way to leave.
   */
  join(viewer: Viewer, from: ResumePoint): Unsubscribe {
    const arrival = { viewer, from };
    if (this.#tail.following === "events") {
      this.#seat(arrival);
    } else {
      this.#arriving.add(arrival);
      this.#hurry();
    }
    return () => {
      this.#arriving.delete(arrival);
      this.#audience.leave(viewer);
      if (this.viewerCount === 0) this.#nobodyLooks();
    };
  }

  #seat({ viewer, from }: { readonly viewer: Viewer; readonly from: ResumePoint }): void {
    const after = this.#resumable(from);
    const seat = this.#audience.seat(viewer, after);
    const { gatewayId: gateway, version } = this.#host;
    const hello = { gateway, version, store: this.storeId, id: this.#tail.scannedTo, recovered: after !== null };
    viewer.send(frameOf(seat.reachedId, { type: "hello", ...hello }));
    if (after === null) return;
    this.#audience.catchUp();
    this.#arm();
  }

  #nobodyLooks(): void {
    this.#changes.clear();
    if (this.#wanted === "nothing") this.#tail.rest();
  }

  /** The record to go on after, when everything behind it can still be shown; else null. */
  #resumable({ after, store }: ResumePoint): number | null {
    if (after === undefined || (store !== undefined && store !== this.storeId)) return null;
    return after <= this.#tail.scannedTo && this.#tail.ring.after(after) !== null ? after : null;
  }

  get #wanted(): Following {
    if (this.viewerCount > 0) return "events";
    return this.#host.live.hasObservers() ? "latest" : "nothing";
  }

  #tell(note: () => void): void {
    if (this.viewerCount === 0) return;
    note();
    this.#arm();
  }

  /** Without viewers it is only about the states of sinks, which go out once a second. */
  get #tickMs(): number {
    return this.viewerCount > 0 ? this.limits.tickMs : this.limits.statesMs;
  }

  /** Make the next tick happen: one tick's time after the start of the one before, or nearly at once after a pause. */
  #arm(waitMs = this.#tickedMs + this.#tickMs - this.#clock.monoMs()): void {
    if (!this.#running || this.#ticking || this.#cancelTick !== null) return;
    this.#cancelTick = this.#clock.after(Math.max(GATHER_MS, waitMs), () => {
      this.#cancelTick = null;
      void this.#tick();
    });
  }

  /** Somebody waits for the next tick: it does not wait for its turn. */
  #hurry(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    this.#arm(0);
  }

  async #tick(): Promise<void> {
    this.#ticking = true;
    this.#tickedMs = this.#clock.monoMs();
    let pauseMs: number | undefined;
    const looks = this.#looks.splice(0);
    try {
      this.#audience.show(await this.#tail.advance(this.#wanted));
      if (looks.length > 0) {
        this.#lookedMs = this.#clock.monoMs();
        await this.#tail.look();
      }
    } catch (error) {
      this.#log.warn({ error: String(error) }, "the live feed could not read the spool; it tries again");
      pauseMs = RETRY_MS;
    }
    this.#ticking = false;
    for (const done of looks) done();
    if (!this.#running) return;
    this.#greet();
    for (const frame of this.#changes.take(this.#tail.scannedTo)) this.#audience.offer(frame);
    this.#audience.catchUp();
    if (this.#wanted === "nothing") this.#tail.rest();
    if (this.#hasWork()) this.#arm(pauseMs);
  }

  /** Those who came while the tail was at rest. */
  #greet(): void {
    if (this.#tail.following !== "events") return;
    for (const arrival of this.#arriving) {
      this.#arriving.delete(arrival);
      this.#seat(arrival);
    }
  }

  #hasWork(): boolean {
    if (this.#looks.length > 0 || this.#arriving.size > 0 || !this.#changes.isEmpty) return true;
    if (this.#wanted !== "nothing" && this.#tail.pending) return true;
    return this.#audience.isUneven;
  }

  #tellStatus(): void {
    if (this.#audience.count === 0 || this.#asking) return;
    this.#asking = true;
    this.#host
      .status()
      .then((facts) => {
        const frame = frameOf(this.#tail.scannedTo, { type: "status", status: statusView(this.#host, facts) });
        this.#audience.mention(frame);
      })
      .catch((error) => this.#log.warn({ error: String(error) }, "the status for live viewers could not be read"))
      .finally(() => {
        this.#asking = false;
      });
  }
}
