/**
 * A fleet: many virtual devices in one process, started one after the other, counted together, stopped together.
 *
 *   start ─ connectsPerS ─▶ powerOn, powerOn, …        news of each ─▶ online count, troubles
 */
import type { Clock } from "@tidegate/device-sdk";
import { addTally, NO_TALLY, type Tally } from "./tally.js";
import type { DeviceNews, Loss, VirtualDevice } from "./virtual-device.js";

/** Told when a device needs a person; at most once per device and text. */
export type OnTrouble = (detail: string) => void;

/** Everybody is online for the first time. */
export type OnReady = () => void;

/** How a fleet starts, and whom it tells. */
export interface FleetOptions {
  readonly clock: Clock;
  /** How many devices are switched on per second: a site's power does not come back for all at one instant either. */
  readonly connectsPerS: number;
  readonly onTrouble: OnTrouble;
  readonly onReady: OnReady;
}

/** Most different troubles that are told; the rest is counted. */
const TROUBLES_MAX = 20;
/** Most losses in the list of a summary. */
const LOSSES_MAX = 1_000;

/** Devices that are started, counted and stopped together. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #devices: VirtualDevice[] = [];
  readonly #seenOnline = new Set<number>();
  readonly #troubles = new Set<string>();
  #cancelStart: () => void = () => {};
  #isReady = false;
  troubleCount = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Add the next device; `make` gets the ear of the fleet for its news. */
  add(make: (news: DeviceNews) => VirtualDevice): VirtualDevice {
    const index = this.#devices.length;
    const device = make({
      online: () => this.#onOnline(index),
      offline: () => {},
      trouble: (detail) => this.#onTrouble(detail),
    });
    this.#devices.push(device);
    return device;
  }

  get devices(): readonly VirtualDevice[] {
    return this.#devices;
  }

  get online(): number {
    return this.#devices.reduce((count, device) => count + (device.state === "online" ? 1 : 0), 0);
  }

  /** Devices that were online at least once. */
  get everOnline(): number {
    return this.#seenOnline.size;
  }

  get tally(): Tally {
    return this.#devices.reduce((sum, device) => addTally(sum, device.tally), NO_TALLY);
  }

  /** What reboots cost, the first of each device. */
  get losses(): Loss[] {
    return this.#devices.flatMap((device) => device.losses).slice(0, LOSSES_MAX);
  }

  /** Switch the devices on, evenly. */
  start(): void {
    this.#powerOnFrom(0);
  }

  /** Stop all. @param drainMs how long each may wait for handlers, and for acks */
  async stop(drainMs: number): Promise<void> {
    this.#cancelStart();
    await Promise.all(this.#devices.map((device) => device.stop(drainMs)));
  }

  #powerOnFrom(index: number): void {
    const device = this.#devices[index];
    if (device === undefined) return;
    device.powerOn();
    this.#cancelStart = this.#options.clock.after(1000 / this.#options.connectsPerS, () =>
      this.#powerOnFrom(index + 1),
    );
  }

  #onOnline(index: number): void {
    this.#seenOnline.add(index);
    if (this.#isReady || this.#seenOnline.size < this.#devices.length) return;
    this.#isReady = true;
    this.#options.onReady();
  }

  #onTrouble(detail: string): void {
    this.troubleCount++;
    if (this.#troubles.size >= TROUBLES_MAX || this.#troubles.has(detail)) return;
    this.#troubles.add(detail);
    this.#options.onTrouble(detail);
  }
}
