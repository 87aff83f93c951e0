/**
 * The devices of a world: a seat for each, which outlives its processes. Somebody may sit down beside it: a clone, a
 * second process under the same id and token, on a copy of the card or on an empty one, until it is taken away.
 *
 *   seat: card, counter, wire ─┬─ process ──boots, dies, boots …
 *                              └─ clone ────now and then, for a while
 */
import { CDeviceProcess } from "./c-device-process.js";
import type { Checker } from "./checker/checker.js";
import { CommandTraps } from "./command-traps.js";
import type { DeviceLife } from "./device-life.js";
import { type DeviceParts, DeviceProcess, type DeviceSettings } from "./device-process.js";
import type { Network } from "./network.js";
import type { Seeded } from "./seeded.js";
import { SerialWire } from "./serial-wire.js";
import { DeviceDisk } from "./store/device-disk.js";
import type { Story } from "./story.js";
import type { Timeline } from "./timeline.js";

export interface FleetParts {
  readonly timeline: Timeline;
  /** The world's own sequence. */
  readonly random: Seeded;
  readonly network: Network;
  readonly checker: Checker;
  readonly story: Story;
  readonly devices: readonly DeviceSettings[];
}

interface Seat {
  readonly settings: DeviceSettings;
  readonly disk: DeviceDisk;
  readonly counter: { value: number };
  readonly wire: SerialWire | null;
  process: DeviceLife | null;
  clone: { readonly process: DeviceLife; readonly disk: DeviceDisk } | null;
}

/** One per world. Devices count from 0. */
export class Fleet {
  /** Deaths at a certain step of a command. */
  readonly traps: CommandTraps;
  readonly #parts: FleetParts;
  readonly #seats: Seat[];
  /** Nobody reports anything more. */
  #isQuiet = false;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#seats = parts.devices.map((settings) => ({
      ...{ settings, disk: new DeviceDisk(), counter: { value: 0 }, wire: this.#makeWire(settings) },
      ...{ process: null, clone: null },
    }));
    this.traps = new CommandTraps((device, isSoon) => {
      const index = this.#indexOf(device);
      if (isSoon) parts.timeline.after(0, () => this.kill(index, null));
      else this.kill(index, null);
    });
  }

  get count(): number {
    return this.#seats.length;
  }

  wireOf(index: number): SerialWire | null {
    return this.#seats[index]?.wire ?? null;
  }

  cardOf(index: number): DeviceDisk | null {
    return this.#seats[index]?.disk ?? null;
  }

  /** Serial lines, by the device at their end. */
  wires(): ReadonlyMap<string, SerialWire> {
    const wires = new Map<string, SerialWire>();
    for (const { settings, wire } of this.#seats) if (wire !== null) wires.set(settings.id, wire);
    return wires;
  }

  boot(index: number): void {
    const seat = this.#seats[index];
    if (seat === undefined || seat.process !== null) return;
    this.#parts.story.tell(seat.settings.id, "boots");
    seat.process = this.#life(seat, seat.disk);
    if (this.#isQuiet) seat.process.stopReporting();
  }

  /** @param backShare how far back the card goes, 0 … 1; null: it holds what was written last. */
  kill(index: number, backShare: number | null): boolean {
    const { story, checker, timeline, random } = this.#parts;
    const seat = this.#seats[index];
    if (seat === undefined || seat.process === null) return false;
    const { settings, disk } = seat;
    story.tell(settings.id, "loses power");
    seat.process.kill();
    seat.process = null;
    const hasCard = this.#hasCard(settings);
    if (backShare !== null && hasCard && disk.goBack(backShare)) {
      story.tell(settings.id, "gets an older card");
      checker.wentBack(settings.id);
    }
    checker.died(settings.id, hasCard ? disk.bodies() : []);
    timeline.after(random.spread(10, 60_000), () => this.boot(index));
    return true;
  }

  /**
   * Somebody starts a second device under the same identity. @param isCopy with a copy of the card, if there is one.
   *
   * @returns whether there was room for one: a serial line has two ends.
   */
  clone(index: number, isCopy: boolean, forMs: number): boolean {
    const { story, checker, timeline } = this.#parts;
    const seat = this.#seats[index];
    if (seat === undefined || seat.clone !== null || seat.wire !== null || this.#isQuiet) return false;
    const { id } = seat.settings;
    const isCardCopied = isCopy && this.#hasCard(seat.settings);
    story.tell(id, isCardCopied ? "is cloned, with its card" : "is cloned");
    checker.cloned(id, isCardCopied);
    const disk = isCardCopied ? seat.disk.copy() : new DeviceDisk();
    seat.clone = { disk, process: this.#life(seat, disk) };
    timeline.after(forMs, () => this.#endClone(seat));
    return true;
  }

  /** Whatever breaks devices is over; in a while nothing more is reported. */
  calm(quietAfterMs: number): void {
    this.traps.calm();
    for (const seat of this.#seats) {
      seat.disk.isFailing = () => false;
      seat.wire?.calm();
      this.#endClone(seat);
    }
    this.#parts.timeline.after(quietAfterMs, () => {
      this.#isQuiet = true;
      for (const { process } of this.#seats) process?.stopReporting();
    });
  }

  get isDrained(): boolean {
    return this.#seats.every(({ process }) => process?.isDrained === true);
  }

  /** For the story of devices that do not come to rest. */
  get facts(): string {
    return this.#seats.map(({ settings, process }) => `${settings.id}: ${process?.facts ?? "off"}`).join("; ");
  }

  /** A message is about to leave a device. @returns its place, or "never" when the device died before it was out. */
  sent(device: string, epoch: number, message: Uint8Array) {
    if (this.traps.sends(device, message)) return "never";
    return this.#parts.checker.wire.sent(device, epoch, message);
  }

  #endClone(seat: Seat): void {
    const { clone, settings } = seat;
    if (clone === null) return;
    this.#parts.story.tell(settings.id, "its clone is taken away");
    clone.process.kill();
    seat.clone = null;
    // Nobody looks at the clone's card any more.
    this.#parts.checker.died(settings.id, this.#hasCard(settings) ? seat.disk.bodies() : []);
  }

  #life(seat: Seat, disk: DeviceDisk): DeviceLife {
    const { timeline, random, network, checker, story } = this.#parts;
    const { settings, counter, wire } = seat;
    const traps = this.traps.of(settings.id);
    const parts: DeviceParts = { timeline, random, network, checker, story, settings, disk, counter, wire, traps };
    return settings.edition === "c" ? new CDeviceProcess(parts) : new DeviceProcess(parts);
  }

  #hasCard({ isPersistent, edition }: DeviceSettings): boolean {
    return isPersistent && edition === "ts";
  }

  #indexOf(device: string): number {
    return this.#seats.findIndex(({ settings }) => settings.id === device);
  }

  /** The epoch that the device at a serial line sends under; null while it is off. */
  #epochOf(device: string): number | null {
    return this.#seats[this.#indexOf(device)]?.process?.epoch ?? null;
  }

  #makeWire({ id, lineNoise }: DeviceSettings): SerialWire | null {
    if (lineNoise === null) return null;
    const { timeline, random } = this.#parts;
    const tap = (message: Uint8Array): boolean => {
      const epoch = this.#epochOf(id);
      // What a board was about to say when it died does not get out.
      return epoch !== null && this.sent(id, epoch, message) !== "never";
    };
    return new SerialWire(timeline, random.fork(), { noise: lineNoise, tap });
  }
}
