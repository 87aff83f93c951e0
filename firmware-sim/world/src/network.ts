/**
 * The network between devices and the gateway, and what goes wrong in it.
 *
 *   cut         both ends are told, each in its own time; what was in flight is lost, or (to the gateway) comes late
 *   half-open   nothing arrives any more and nobody is told: only silence, or a new link, ends it
 *   stall       everything comes, but late
 *   partition   no new connection is answered, and all that exist are half-open
 */

import type { Connect } from "@tidegate/device-sdk";
import { Envelope, isUplinkTag, type Reason, readEnvelope, UplinkTag } from "@tidegate/proto";
import type { DeviceLink } from "tidegate/dist/session/session-ports.js";
import type { Numbered } from "./checker/wire-log.js";
import { type ConnectionWatch, type Listener, SimConnection } from "./connection.js";
import type { PipeFacts } from "./pipe.js";
import type { Seeded } from "./seeded.js";
import type { Timeline } from "./timeline.js";

/** Where new connections arrive. */
export interface Door {
  /** null: nobody listens. */
  accept(link: DeviceLink): Listener | null;
}

export interface NetworkProfile {
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** Chance that a reliable frame arrives twice. */
  readonly doubling: number;
  /** Chance that a Hello is held up on a link that breaks for its device. */
  readonly lateHello: number;
}

/** The process at a device's end of a link. */
export interface LinkOwner {
  isAlive(): boolean;
  /** The epoch it sends under. */
  epoch(): number;
  /** A command arrives. @returns whether the process died of it. */
  dies(): boolean;
}

/** Sees every frame of a device; for the checker. */
export interface WireTap {
  /** @returns the epoch and number it was sent under, null when it has none, or "never" when it does not get out. */
  uplink(device: string, frame: Uint8Array, epoch: number): Numbered | null | "never";
  /** The gateway read that number from that link; links count upwards. */
  delivered(device: string, number: Numbered, link: number): void;
  /** The gateway read a Hello of a process that has died since. */
  lateHello(device: string): void;
  /** The gateway answered a Hello on that link. */
  welcomed(device: string, link: number): void;
  /** The gateway closed the link that the device was on. */
  closed(device: string, reason: Reason): void;
}

/** One per world; every connection of every device goes through it. Times in ms of the timeline. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Seeded;
  readonly #profile: NetworkProfile;
  readonly #tap: WireTap;
  readonly #door: Door;
  #connections: SimConnection[] = [];
  readonly #owners = new WeakMap<SimConnection, LinkOwner>();
  #partitionedUntilMs = 0;
  #linkCount = 0;
  readonly #envelope = new Envelope();
  /** Set in the liveness phase: whatever is done from now on works. */
  isCalm = false;

  constructor(parts: { timeline: Timeline; random: Seeded; profile: NetworkProfile; tap: WireTap; door: Door }) {
    this.#timeline = parts.timeline;
    this.#random = parts.random;
    this.#profile = parts.profile;
    this.#tap = parts.tap;
    this.#door = parts.door;
  }

  /** The way a device opens links. */
  connectorOf(device: string, owner: LinkOwner): Connect {
    return (events) => {
      const watch = this.#watch(device, owner);
      const connection = new SimConnection(device, guarded(events, owner), this.#facts(), watch);
      this.#owners.set(connection, owner);
      connection.onSent = (frame) => this.#holdHello(connection, frame);
      this.#connections = [...this.#connections.filter((other) => !other.isOver), connection];
      const isLost = this.#timeline.nowMs < this.#partitionedUntilMs;
      if (!isLost) this.#timeline.after(this.#latencyMs(), () => this.#arrive(connection));
      return connection.link;
    };
  }

  /** Break one of a device's links. @returns whether there was one. */
  cut(device: string): boolean {
    const connection = this.#current(device);
    if (connection === undefined) return false;
    const isLate = this.#random.chance(0.5);
    this.#timeline.after(this.#random.spread(1, 5_000), () => connection.breakDevice());
    if (isLate) {
      connection.up.stallUntil(this.#timeline.nowMs + this.#random.spread(1, 20_000));
      connection.endUp();
    } else {
      connection.up.lose();
      this.#timeline.after(this.#random.spread(1, 20_000), () => connection.breakGateway());
    }
    return true;
  }

  /** Nothing arrives any more, one way or both ways. */
  halfOpen(device: string): boolean {
    const connection = this.#current(device);
    if (connection === undefined) return false;
    const way = this.#random.between(0, 2);
    // What was sent may still come when the network heals: long after the device has moved on.
    const untilMs = this.#random.chance(0.5) ? Number.POSITIVE_INFINITY : this.#inMs(5_000, 300_000);
    if (way !== 1) connection.up.stallUntil(untilMs);
    if (way !== 2) connection.down.stallUntil(untilMs);
    if (untilMs === Number.POSITIVE_INFINITY) this.#resetLater(connection);
    return true;
  }

  stall(device: string): boolean {
    const connection = this.#current(device);
    if (connection === undefined) return false;
    const untilMs = this.#inMs(100, 30_000);
    if (this.#random.chance(0.7)) connection.up.stallUntil(untilMs);
    if (this.#random.chance(0.7)) connection.down.stallUntil(untilMs);
    return true;
  }

  partition(forMs: number): void {
    this.#partitionedUntilMs = this.#timeline.nowMs + forMs;
    for (const connection of this.#connections) {
      connection.up.stallUntil(this.#partitionedUntilMs);
      connection.down.stallUntil(this.#partitionedUntilMs);
    }
  }

  /** A device's process died: the gateway reads the rest, or learns of it late, or never. */
  deviceDied(device: string): void {
    for (const connection of this.#connections) {
      if (connection.device !== device || !connection.hasDevice || this.#isOwned(connection)) continue;
      connection.deviceDied();
      const fate = this.#random.between(0, 2);
      if (fate === 0) connection.up.lose();
      if (fate === 1) connection.up.stallUntil(this.#inMs(10, 60_000));
      if (fate === 2) this.#resetLater(connection);
      else connection.endUp();
    }
  }

  /** The gateway's process died: its kernel resets every connection. */
  gatewayDied(): void {
    for (const connection of this.#connections) {
      connection.orphan();
      this.#timeline.after(this.#random.spread(1, 1_000), () => connection.breakDevice());
    }
  }

  /** From here on nothing goes wrong; stalls that were promised come to their end. */
  calm(): void {
    this.isCalm = true;
    this.#partitionedUntilMs = 0;
    for (const connection of this.#connections) {
      // A link that is stalled for good is one its peers must get out of by themselves.
      if (this.#random.chance(0.5)) continue;
      connection.breakDevice();
      connection.breakGateway();
    }
  }

  /** A Hello that is held up on a link which its device gives up soon comes when another one was answered [P-5]. */
  #holdHello(connection: SimConnection, frame: Uint8Array): void {
    if (this.isCalm || this.#profile.lateHello === 0) return;
    if (!this.#isHello(frame)) return;
    if (!this.#random.chance(this.#profile.lateHello)) return;
    connection.up.stallUntil(this.#inMs(1_000, 30_000));
    this.#timeline.after(this.#random.spread(1, 500), () => {
      connection.breakDevice();
      connection.endUp();
    });
  }

  #isOwned(connection: SimConnection): boolean {
    return this.#owners.get(connection)?.isAlive() ?? false;
  }

  #arrive(connection: SimConnection): void {
    const listener = this.#door.accept(connection.gatewayLink);
    if (listener === null) connection.breakDevice();
    else connection.accepted(listener);
  }

  #resetLater(connection: SimConnection): void {
    this.#timeline.after(this.#random.spread(10_000, 900_000), () => {
      connection.breakGateway();
      connection.breakDevice();
    });
  }

  #current(device: string): SimConnection | undefined {
    return this.#connections.findLast((connection) => connection.device === device && connection.hasDevice);
  }

  #inMs(min: number, max: number): number {
    return this.#timeline.nowMs + this.#random.spread(min, max);
  }

  #latencyMs(): number {
    return this.#random.spread(this.#profile.latencyMsMin, this.#profile.latencyMsMax);
  }

  #facts(): PipeFacts {
    return { timeline: this.#timeline, latencyMs: () => this.#latencyMs() };
  }

  #isHello(frame: Uint8Array): boolean {
    return readEnvelope(frame, this.#envelope) === null && this.#envelope.body === UplinkTag.hello;
  }

  #watch(device: string, owner: LinkOwner): ConnectionWatch {
    this.#linkCount += 1;
    const link = this.#linkCount;
    return {
      sent: (frame) => {
        const number = this.#tap.uplink(device, frame, owner.epoch());
        return () => {
          if (number !== null && number !== "never") this.#tap.delivered(device, number, link);
          else if (!owner.isAlive() && this.#isHello(frame)) this.#tap.lateHello(device);
        };
      },
      welcomed: () => this.#tap.welcomed(device, link),
      closed: (reason) => this.#tap.closed(device, reason),
      isDoubled: (frame) => !this.isCalm && this.#random.chance(this.#profile.doubling) && this.#isReliable(frame),
    };
  }

  /** A repeated Hello would be another Hello; reliable frames and heartbeats may come twice on a bad line. */
  #isReliable(frame: Uint8Array): boolean {
    const isRead = readEnvelope(frame, this.#envelope) === null;
    return (
      isRead && this.#envelope.seq > 0 && isUplinkTag(this.#envelope.body) && this.#envelope.body !== UplinkTag.hello
    );
  }
}

type LinkEvents = Parameters<Connect>[0];

/** First byte of a Downlink that carries a Command: field 5, length-delimited. */
const COMMAND_TAG = 0x2a;

/** A dead process hears nothing. */
function guarded(events: LinkEvents, owner: LinkOwner): LinkEvents {
  return {
    opened: () => owner.isAlive() && events.opened(),
    frame: (bytes) => {
      if (bytes[0] === COMMAND_TAG && owner.isAlive()) owner.dies();
      if (owner.isAlive()) events.frame(bytes);
    },
    writable: () => owner.isAlive() && events.writable(),
    closed: (closed) => owner.isAlive() && events.closed(closed),
  };
}
