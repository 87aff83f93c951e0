/**
 * Who is here: every session, the one active session of each device, takeover and presence.
 */
import { type Hello, Reason } from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import { repeat } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Instants } from "../core/turn-clock.js";
import type { SessionSettings } from "./conversation.js";
import { HelloGuard, type HelloVerdict } from "./hello-guard.js";
import { PresenceBook, type PresenceChange } from "./presence.js";
import { Session, type SessionOwner, type SessionWorld } from "./session.js";
import { type SessionCounters, sessionCounters } from "./session-counters.js";
import type { DeviceLink, SessionFacts, SessionHost, StreamView } from "./session-ports.js";

/** One timer for all sessions; ten thousand comparisons cost a tenth of a millisecond. */
const SWEEP_EVERY_MS = 1000;
/** Guards are kept for devices seen lately; more devices than this cannot be connected anyway. */
const GUARDS_MAX = 100_000;

/** What the registry is configured with. */
export interface RegistryOptions {
  readonly settings: SessionSettings;
  /** Takeovers in turns that are taken for a cloned identity [P-14]. */
  readonly takeoversPerMinute: number;
  readonly clock: Clock;
  /** What frames are stamped by; absent: `clock`. */
  readonly arrivals?: Instants;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly presenceChanged: (change: PresenceChange) => void;
}

/** All sessions of the gateway; one sweep timer serves them. */
export class SessionRegistry<S extends StreamView> implements SessionOwner<S> {
  readonly #options: RegistryOptions;
  readonly #counters: SessionCounters;
  /** One for all sessions. */
  readonly #world: SessionWorld<S>;
  readonly #sessions = new Set<Session<S>>();
  /** The session that owns a device: the one whose Hello came last. */
  readonly #owners = new Map<string, Session<S>>();
  readonly #guards = new Map<string, HelloGuard>();
  readonly #presence: PresenceBook;
  readonly #stopSweep: () => void;
  #activeCount = 0;

  constructor(host: SessionHost<S>, options: RegistryOptions) {
    this.#options = options;
    this.#counters = sessionCounters(options.metrics);
    const { clock, settings, log, arrivals = clock } = options;
    this.#world = { host, owner: this, clock, arrivals, settings, counters: this.#counters, log };
    this.#presence = new PresenceBook(options.presenceChanged);
    this.#stopSweep = repeat(options.clock, SWEEP_EVERY_MS, () => this.#sweep());
    options.metrics.gauge("sessions", "Open links, with or without a session", () => this.#sessions.size);
    options.metrics.gauge("devices_online", "Devices with an active session", () => this.onlineCount);
  }

  /** A link opened; the caller feeds the returned session with its messages. */
  open(link: DeviceLink): Session<S> {
    const session = new Session<S>(link, this.#world);
    this.#sessions.add(session);
    return session;
  }

  claim(session: Session<S>, hello: Hello): HelloVerdict {
    const { bootNonce, attempt, deviceId } = hello;
    const older = this.#owners.get(deviceId);
    const takesOver = older !== undefined && older !== session && older.isUsed;
    const verdict = this.#guard(deviceId).hello({ bootNonce, attempt, takesOver }, this.#options.clock.monoMs());
    if (verdict.let === "drop") return verdict;
    if (verdict.let === "out") {
      const { lockedOutMs } = verdict;
      this.#counters.clones.value += 1;
      this.#options.log.error(
        { device: hello.deviceId, remotes: [older?.link.remote, session.link.remote], lockedOutMs },
        "cloned identity: two devices take turns under one id; both are locked out",
      );
      if (older !== undefined && older !== session) {
        older.end(Reason.CLONED_IDENTITY, "two devices take turns under this id", lockedOutMs);
      }
      return verdict;
    }
    this.#owners.set(hello.deviceId, session);
    if (older !== undefined && older !== session) {
      this.#counters.takeovers.value += 1;
      older.end(Reason.TAKEOVER, "the device connected again");
    }
    return verdict;
  }

  activated(session: Session<S>): void {
    this.#activeCount += 1;
    const facts = session.facts();
    if (facts === null) return;
    this.#options.log.info(
      { device: facts.device, remote: facts.remote, epoch: facts.epoch, acked: facts.acked },
      "device online",
    );
    this.#presence.online(facts.device, facts.hello.sleepMs);
  }

  left(session: Session<S>, reason: Reason): void {
    this.#activeCount -= 1;
    this.#options.log.debug({ device: session.device, remote: session.link.remote, reason }, "session left");
  }

  closed(session: Session<S>): void {
    this.#sessions.delete(session);
    const device = session.device;
    if (device === null || this.#owners.get(device) !== session) return;
    this.#owners.delete(device);
    this.#presence.gone(device, this.#options.clock.monoMs());
    this.#options.log.info({ device, remote: session.link.remote }, "device offline");
  }

  /** End whatever session the device has: its credential was withdrawn. */
  endDevice(device: string, reason: Reason, detail: string): void {
    this.#owners.get(device)?.end(reason, detail);
  }

  /** Say Bye to everyone and stop sweeping: the gateway shuts down. */
  stop(): void {
    this.#stopSweep();
    for (const session of [...this.#sessions]) session.end(Reason.SHUTDOWN, "the gateway is stopping");
  }

  facts(device: string): SessionFacts | null {
    return this.#owners.get(device)?.facts() ?? null;
  }

  presence(device: string): "online" | "offline" | "sleeping" {
    return this.#presence.of(device);
  }

  /** Devices with an active session. */
  get onlineCount(): number {
    return this.#activeCount;
  }

  /** Links that wait for a Hello or for its answer. */
  get greetingCount(): number {
    return this.#sessions.size - this.#activeCount;
  }

  #guard(device: string): HelloGuard {
    let guard = this.#guards.get(device);
    if (guard === undefined) {
      if (this.#guards.size >= GUARDS_MAX) this.#guards.clear();
      guard = new HelloGuard(this.#options.takeoversPerMinute);
      this.#guards.set(device, guard);
    }
    return guard;
  }

  #sweep(): void {
    const now = this.#options.clock.monoMs();
    for (const session of [...this.#sessions]) session.sweep(now);
    this.#presence.sweep(now);
  }
}
