/**
 * One virtual device: the real SDK over a real link, with the greenhouse as its application, and everything that can
 * happen to a device from outside.
 *
 *   off ─powerOn─▶ boot 1 ─reboot─▶ (off for a while) ─▶ boot 2 …      ─stop─▶ stopped
 *
 *   a boot = Device + BootClock + LinkTap + Greenhouse; what survives it: the outbox file, the building, the tally
 */
import {
  type Clock,
  Device,
  type DeviceError,
  type DeviceState,
  type DeviceStats,
  wsConnect,
} from "@tidegate/device-sdk";
import { Envelope, readEnvelope } from "@tidegate/proto";
import { BootClock } from "./boot-clock.js";
import type { Credential } from "./credential.js";
import { Flash } from "./flash.js";
import { type Building, Greenhouse, newBuilding, SIGNALS, SIM_FIRMWARE, SIM_MODEL } from "./greenhouse.js";
import { attemptOf, type Ledger } from "./ledger.js";
import { LinkTap } from "./link-tap.js";
import type { Climate } from "./models/climate.js";
import { childSeed, DeviceRandom } from "./random.js";
import { messageOf } from "./sim-error.js";
import { addTally, NO_TALLY, type Tally, tallyOfBoot } from "./tally.js";

/** What is wrong with the clocks of a boot. */
export interface ClockFault {
  /** How far its wall clock is ahead, in ms; with a value other than 0 the device trusts that clock. */
  readonly unixSkewMs: number;
  /** Uptime with which it begins, in ms: shortly below 2^32 lets the counter wrap. */
  readonly uptimeMs: number;
}

/** What a device tells its fleet. */
export interface DeviceNews {
  online(): void;
  offline(): void;
  /** The gateway does not want it, or does not prove who it is. One line for people. */
  trouble(detail: string): void;
}

/** What a device is, where it connects, and who listens to it. */
export interface VirtualDeviceOptions {
  readonly credential: Credential;
  /** Address to connect to when it is not the credential's: a relay on the way. */
  readonly url?: string;
  readonly climate: Climate;
  /** Everything random about it follows from this. */
  readonly seed: number;
  /** Time between two sets of readings, in ms. */
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly news: DeviceNews;
  readonly ledger?: Ledger | null;
  /** Folder for a persistent outbox; without it the outbox lives in memory. */
  readonly outboxDir?: string | null;
  /** Clocks of boot `n`, from 0. */
  readonly clockFault?: ((boot: number) => ClockFault) | null;
}

/** What a reboot cost, for the list. `after`: the last seq that was acked in that epoch. */
export interface Loss {
  readonly device: string;
  readonly epoch: number;
  readonly after: number;
  readonly messages: number;
}

/** Readings wait so long for company, so that one tick becomes one message. */
const GATHER_MS = 5;
/** A fleet of a thousand must not fill the memory with an outage; an hour at one per second. */
const OUTBOX = { maxMessages: 3_600, maxBytes: 1024 * 1024 } as const;
/** Most losses kept as a list; the tally counts the others. */
const LOSSES_MAX = 100;
const GOOD_CLOCK: ClockFault = { unixSkewMs: 0, uptimeMs: 0 };

interface Boot {
  readonly device: Device;
  readonly tap: LinkTap;
  readonly greenhouse: Greenhouse;
}

/** A device from its first boot to its stop. Failures are told as trouble; a fleet goes on without the one. */
export class VirtualDevice {
  readonly id: string;
  readonly losses: Loss[] = [];
  readonly #options: VirtualDeviceOptions;
  readonly #building: Building;
  readonly #flash: Flash | null;
  readonly #envelope = new Envelope();
  /** Highest seq sent and acked, per epoch; the newest few epochs. */
  readonly #marks = new EpochMarks();
  #boot: Boot | null = null;
  #bootCount = 0;
  /** Of the boots before this one. */
  #past: Tally = NO_TALLY;
  /** The boot whose power went, until it is known what the flash kept of it. */
  #dark: DeviceStats | null = null;
  #own = { sent: 0, reboots: 0, commands: 0 };
  #nextTickMs = 0;
  #cancelTick: () => void = () => {};
  #isStopped = false;

  constructor(options: VirtualDeviceOptions) {
    this.#options = options;
    this.id = options.credential.deviceId;
    this.#building = newBuilding(options.climate, options.seed, options.clock.unixMs());
    const { outboxDir = null } = options;
    this.#flash = outboxDir === null ? null : new Flash(outboxDir, this.id);
  }

  get state(): DeviceState | "off" {
    return this.#boot?.device.state ?? (this.#isStopped ? "stopped" : "off");
  }

  get isPersistent(): boolean {
    return this.#flash !== null;
  }

  /** What became of its messages so far. */
  get tally(): Tally {
    const stats = this.#boot?.device.stats() ?? this.#dark;
    const now = stats === null ? NO_TALLY : tallyOfBoot(stats);
    const sum = addTally(addTally(this.#past, now), { ...NO_TALLY, ...this.#own });
    return { ...sum, reconnects: Math.max(0, sum.sessions - 1) };
  }

  /** Boot it. Does nothing when it runs or was stopped. A boot that fails is told as trouble; it stays off then. */
  powerOn(): void {
    if (this.#boot !== null || this.#isStopped) return;
    let boot: Boot;
    try {
      boot = this.#makeBoot(this.#options.clockFault?.(this.#bootCount) ?? GOOD_CLOCK);
    } catch (error) {
      this.#options.news.trouble(`${this.id} does not boot: ${messageOf(error)}`);
      return;
    }
    this.#settle(boot.device.stats().queuedMessages);
    this.#bootCount++;
    this.#boot = boot;
    boot.device.start();
    this.#nextTickMs = this.#options.clock.monoMs();
    this.#tick();
  }

  /**
   * Take the power away; what is in RAM is gone. The outbox file stays as it is at this instant.
   * Rejects with Node's error when that file cannot be copied.
   */
  async powerOff(): Promise<void> {
    const boot = this.#boot;
    if (boot === null) return;
    this.#boot = null;
    this.#cancelTick();
    boot.tap.cut();
    this.#flash?.keep();
    await boot.device.stop(0);
    this.#flash?.restore();
    this.#dark = boot.device.stats();
    if (this.#flash === null) this.#settle(0);
    this.#building.pumpOnSinceUnixMs = null;
    this.#options.news.offline();
  }

  /** Power off, and on again after `offMs`. Does nothing when it is off. Never rejects. */
  async reboot(offMs: number): Promise<void> {
    if (this.#boot === null || this.#isStopped) return;
    this.#own.reboots++;
    try {
      await this.powerOff();
    } catch (error) {
      this.#options.news.trouble(`${this.id} lost what its flash held: ${messageOf(error)}`);
    }
    if (this.#isStopped) return;
    this.#cancelTick = this.#options.clock.after(offMs, () => this.powerOn());
  }

  /** End in order: send what is left, say goodbye. At most twice `drainMs`, plus the closing of the link. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopped = true;
    this.#cancelTick();
    const boot = this.#boot;
    if (boot !== null) await boot.device.stop(drainMs);
  }

  #makeBoot(fault: ClockFault): Boot {
    const { credential, seed, intervalMs, clock } = this.#options;
    const url = this.#options.url ?? credential.url;
    const trust = credential.ca === null ? {} : { ca: credential.ca };
    const bootClock = new BootClock(clock, fault.unixSkewMs);
    const tap = new LinkTap(wsConnect({ url, token: credential.token, ...trust }), (frame) => this.#onSend(frame));
    const device = new Device({
      url,
      id: this.id,
      token: credential.token,
      ...trust,
      outbox: this.#flash === null ? OUTBOX : { ...OUTBOX, path: this.#flash.path },
      flushIntervalMs: GATHER_MS,
      trustClock: fault.unixSkewMs !== 0,
      firmware: SIM_FIRMWARE,
      model: SIM_MODEL,
      clock: bootClock,
      random: new DeviceRandom(childSeed(seed, this.#bootCount)),
      connect: tap.connect,
    });
    bootClock.age(fault.uptimeMs);
    const greenhouse = new Greenhouse(device, this.#building, {
      unixMs: () => clock.unixMs(),
      intervalMs,
      ran: (name, id) => this.#onCommand(name, id),
    });
    this.#listen(device);
    return { device, tap, greenhouse };
  }

  #listen(device: Device): void {
    const { news, ledger } = this.#options;
    device.on("online", () => news.online());
    device.on("offline", () => news.offline());
    device.on("refused", ({ detail }) => news.trouble(`${this.id}: ${detail}`));
    device.on("error", (error: DeviceError) => news.trouble(`${this.id}: ${error.message}`));
    device.on("acked", ({ epoch, seq }) => {
      this.#marks.of(epoch).acked = seq;
      ledger?.write(this.id, { e: "acked", epoch, seq });
    });
  }

  #onSend(frame: Uint8Array): void {
    if (readEnvelope(frame, this.#envelope) !== null || this.#envelope.seq === 0) return;
    const epoch = this.#boot?.device.stats().epoch ?? 0;
    const mark = this.#marks.of(epoch);
    if (this.#envelope.seq > mark.sent) {
      mark.sent = this.#envelope.seq;
      this.#own.sent++;
    }
    const { ledger } = this.#options;
    if (!ledger) return;
    const attempt = attemptOf(frame, epoch, SIGNALS);
    if (attempt !== null) ledger.write(this.id, attempt);
  }

  #onCommand(name: string, id: number): void {
    this.#own.commands++;
    this.#options.ledger?.write(this.id, { e: "command", id, name });
  }

  /** Close the books of a boot whose power went. @param kept how many of its messages the flash gave back */
  #settle(kept: number): void {
    const stats = this.#dark;
    if (stats === null) return;
    this.#dark = null;
    const messages = Math.max(0, stats.queuedMessages - kept);
    this.#past = addTally(this.#past, { ...tallyOfBoot(stats), buffered: 0, lostByReboot: messages });
    if (messages === 0) return;
    const loss = { epoch: stats.epoch, after: this.#marks.of(stats.epoch).acked, messages };
    this.#options.ledger?.write(this.id, { e: "lost", ...loss, why: "reboot" });
    if (this.losses.length < LOSSES_MAX) this.losses.push({ device: this.id, ...loss });
  }

  #tick(): void {
    const { clock, intervalMs } = this.#options;
    this.#boot?.greenhouse.tick();
    const nowMs = clock.monoMs();
    // On the raster of the start; ticks that a busy machine missed are not made up for.
    const missed = Math.max(0, Math.floor((nowMs - this.#nextTickMs) / intervalMs));
    this.#nextTickMs += (missed + 1) * intervalMs;
    this.#cancelTick = clock.after(this.#nextTickMs - nowMs, () => this.#tick());
  }
}

const EPOCHS_MAX = 8;

/** How far each epoch got; the oldest is forgotten first. */
class EpochMarks {
  readonly #marks = new Map<number, { sent: number; acked: number }>();

  of(epoch: number): { sent: number; acked: number } {
    const known = this.#marks.get(epoch);
    if (known !== undefined) return known;
    const oldest = this.#marks.keys().next();
    if (this.#marks.size >= EPOCHS_MAX && !oldest.done) this.#marks.delete(oldest.value);
    const fresh = { sent: 0, acked: 0 };
    this.#marks.set(epoch, fresh);
    return fresh;
  }
}
