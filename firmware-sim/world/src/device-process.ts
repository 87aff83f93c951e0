/**
 * One life of a device's process: the real SDK on a simulated link, clock and card, with an application that counts
 * upwards. Every reading is a number never used before by this device, so that each can be followed to its end.
 */
import { Device, type Signal } from "@tidegate/device-sdk";
import type { Checker } from "./checker/checker.js";
import type { DeviceTraps } from "./command-traps.js";
import type { DeviceLife } from "./device-life.js";
import type { Network } from "./network.js";
import { ProcessClock, WALL_START_UNIX_MS } from "./process-clock.js";
import type { Seeded } from "./seeded.js";
import type { SerialWire } from "./serial-wire.js";
import type { DeviceDisk } from "./store/device-disk.js";
import type { Story } from "./story.js";
import type { Timeline } from "./timeline.js";

export interface DeviceSettings {
  readonly id: string;
  readonly isPersistent: boolean;
  readonly messagesMax: number;
  readonly saveIntervalMs: number;
  /** Mean time between readings. */
  readonly readingMs: number;
  /** Chance that a reading is the first of many. */
  readonly burst: number;
  readonly commandMsMax: number;
  readonly edition: "ts" | "c";
  /** Chance that a byte on its serial line is hit; null: it has no serial line but the network. */
  readonly lineNoise: number | null;
}

export interface DeviceParts {
  readonly timeline: Timeline;
  readonly random: Seeded;
  readonly network: Network;
  readonly checker: Checker;
  readonly story: Story;
  readonly settings: DeviceSettings;
  readonly disk: DeviceDisk;
  /** The number of the last reading; outlives the process. */
  readonly counter: { value: number };
  /** null: it comes over the network. */
  readonly wire: SerialWire | null;
  readonly traps: DeviceTraps;
}

const BURST_MAX = 30;
const HANDLER_TIMEOUT_MS = 60_000;

/** Runs from its construction until `kill`; the next life is another one, on the same card. */
export class DeviceProcess implements DeviceLife {
  readonly #parts: DeviceParts;
  readonly #clock: ProcessClock;
  readonly #device: Device;
  readonly #signal: Signal<number>;
  #isReporting = true;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
    const { timeline, settings, network, disk, random, wire, traps } = parts;
    this.#clock = new ProcessClock(timeline, { offsetMs: WALL_START_UNIX_MS }, timeline.nowMs);
    const isAlive = (): boolean => this.#clock.isAlive;
    const { id, isPersistent, messagesMax, saveIntervalMs } = settings;
    const file = isPersistent ? { path: id, open: disk.opener(isAlive, traps), saveIntervalMs } : {};
    const owner = { isAlive, epoch: () => this.epoch, dies: () => traps("arrives") };
    this.#device = new Device({
      url: "wss://gateway.local/v1/device",
      id,
      flushIntervalMs: 0,
      outbox: { maxMessages: messagesMax, ...file },
      clock: this.#clock,
      random: random.fork(),
      connect: wire === null ? network.connectorOf(id, owner) : wire.connector(isAlive),
      ...(wire === null ? {} : { token: "token" }),
    });
    this.#signal = this.#device.signal("n", { type: "int" });
    this.#declareCommands();
    this.#listen();
    this.#device.start();
    this.#reportLater();
  }

  get epoch(): number {
    return this.#device.stats().epoch;
  }

  /** Online, and everything it had is at the gateway. */
  get isDrained(): boolean {
    return this.#device.state === "online" && this.#device.stats().queuedMessages === 0;
  }

  /** For the story of a device that does not come to rest. */
  get facts(): string {
    const { state, queuedMessages, epoch, linkAttempts } = this.#device.stats();
    return `${state}, ${queuedMessages} queued, epoch ${epoch}, ${linkAttempts} links`;
  }

  get isAlive(): boolean {
    return this.#clock.isAlive;
  }

  /** The application reports nothing more; what it has is still sent. */
  stopReporting(): void {
    this.#isReporting = false;
  }

  /** The power is gone. */
  kill(): void {
    this.#clock.kill();
    this.#parts.wire?.plugBoard(null);
    this.#parts.network.deviceDied(this.#parts.settings.id);
  }

  #listen(): void {
    const { checker, story, settings } = this.#parts;
    const { id } = settings;
    const whileAlive = (fn: () => void): void => {
      if (this.#clock.isAlive) fn();
    };
    this.#device.on("acked", ({ epoch, seq }) =>
      whileAlive(() => {
        story.tell(id, "acked", epoch, seq);
        checker.delivery.acked(id, epoch, seq);
      }),
    );
    this.#device.on("dropped", ({ samples }) => whileAlive(() => checker.delivery.evicted(id, samples)));
    this.#device.on("online", ({ epoch }) => whileAlive(() => story.tell(id, "online", epoch)));
    this.#device.on("offline", ({ detail }) => whileAlive(() => story.tell(id, "offline", detail)));
    this.#device.on("error", (error) => whileAlive(() => story.tell(id, "error", error.code)));
  }

  #declareCommands(): void {
    for (const [name, idempotent] of [
      ["act", false],
      ["set", true],
    ] as const) {
      const options = { idempotent, timeoutMs: HANDLER_TIMEOUT_MS };
      this.#device.command<{ token: number }>(name, options, ({ token }) => this.#run(token));
    }
  }

  /** A handler: begins now, ends some time later. */
  #run(token: number): Promise<number> {
    const { checker, story, settings, timeline, random, traps } = this.#parts;
    // A handler of a dead process is never called by a timer; but a promise of its last turn may still settle.
    if (!this.#clock.isAlive) return new Promise(() => {});
    story.tell(settings.id, "runs", token);
    checker.commands.ran(settings.id, token, timeline.nowMs);
    if (traps("runs")) return new Promise(() => {});
    if (random.chance(0.1)) return Promise.reject(new Error("the pump is stuck"));
    return new Promise((resolve) => {
      this.#clock.after(random.spread(1, settings.commandMsMax), () => {
        checker.commands.done(token);
        resolve(token);
      });
    });
  }

  #reportLater(): void {
    const { random, settings } = this.#parts;
    this.#clock.after(random.waitMs(settings.readingMs), () => {
      if (!this.#isReporting) return;
      const count = random.chance(settings.burst) ? random.between(2, BURST_MAX) : 1;
      for (let i = 0; i < count; i++) this.#report();
      this.#reportLater();
    });
  }

  #report(): void {
    const { checker, counter, settings } = this.#parts;
    counter.value += 1;
    checker.delivery.reported(settings.id, counter.value);
    this.#signal.report(counter.value);
  }
}
