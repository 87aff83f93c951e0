/**
 * A whole world from one seed: gateway, devices, broker, disks and network in one process, on one timeline.
 *
 *   safety phase    faults strike; the checker watches what must never happen
 *   liveness phase  faults are over; everybody must connect and everything must drain within a bounded time
 */
import { Broker } from "./broker.js";
import { CDeviceProcess } from "./c-device-process.js";
import { Checker } from "./checker/checker.js";
import { CommandSource } from "./command-source.js";
import type { DeviceLife } from "./device-life.js";
import { DeviceProcess, type DeviceSettings } from "./device-process.js";
import { FaultDriver } from "./fault-driver.js";
import { GatewayProcess } from "./gateway-process.js";
import { Network } from "./network.js";
import { ProcessClock, WALL_START_UNIX_MS, type WallClock } from "./process-clock.js";
import { drawProfile, type Profile } from "./profile.js";
import { Seeded } from "./seeded.js";
import { SerialWire } from "./serial-wire.js";
import { SINK } from "./sink-process.js";
import type { Stage } from "./stage.js";
import { DeviceDisk } from "./store/device-disk.js";
import { GatewayDisk } from "./store/gateway-disk.js";
import { SimHome } from "./store/sim-home.js";
import { SqlHome } from "./store/sql-home.js";
import type { StoreHome } from "./store/world-store.js";
import { Story } from "./story.js";
import { Timeline } from "./timeline.js";

/** Sessions may back off for minutes, wait for silence on a half-open link, and drain one by one: then it is a hang. */
const LIVENESS_MS = 2 * 3_600_000;
/** After the last command's deadline its state must be told within this time. */
const SETTLE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;
/** A store that could not be opened is opened again after this. */
const OPEN_AGAIN_MS = 1_000;

export interface Report {
  readonly seed: number;
  readonly hash: string;
  readonly findings: readonly { readonly invariant: string; readonly detail: string }[];
  readonly violationCount: number;
  readonly deviceHours: number;
  readonly faults: ReadonlyMap<string, number>;
  readonly counts: Readonly<Record<string, number>>;
  readonly eventCount: number;
  readonly lines: readonly string[];
}

interface DeviceSeat {
  readonly disk: DeviceDisk;
  readonly counter: { value: number };
  process: DeviceLife | null;
  readonly wire: SerialWire | null;
}

/** One run of one seed: make it, `run` it once, read the report. */
export class World implements Stage {
  readonly timeline = new Timeline();
  readonly story: Story;
  readonly random: Seeded;
  readonly profile: Profile;
  readonly disk: GatewayDisk;
  readonly home: StoreHome;
  readonly network: Network;
  readonly broker: Broker;
  readonly checker: Checker;
  readonly wall: WallClock = { offsetMs: WALL_START_UNIX_MS };
  readonly #seed: number;
  readonly #seats: DeviceSeat[];
  readonly #commands: CommandSource;
  readonly #faults: FaultDriver;
  #gateway: GatewayProcess | null = null;
  #machineBootMs = 0;
  #machineBootCount = 1;
  #gatewayLives = 0;
  #isOpening = false;
  #hasBackup = false;
  /** Nobody reports anything more. */
  #isQuiet = false;

  constructor(seed: number, isTold = false) {
    this.#seed = seed;
    this.random = new Seeded(seed);
    this.story = new Story(this.timeline, isTold);
    this.profile = drawProfile(this.random.fork());
    const { timeline, profile } = this;
    this.disk = new GatewayDisk(timeline, this.random.fork(), profile.disk);
    const devices = profile.devices.map(({ id }) => id);
    this.home =
      profile.sql === null ? new SimHome(this.disk) : new SqlHome(this.disk, profile.sql, { devices, sink: SINK });
    this.checker = new Checker(
      this.story,
      () => this.home.tables,
      () => this.#machineBootMs,
    );
    this.broker = new Broker(timeline, this.random.fork(), profile.broker, (topic, payload) => {
      this.story.tell("broker", "took", payload.slice(0, payload.indexOf(",")));
      this.checker.delivery.taken(topic, payload);
    });
    this.network = new Network({
      timeline,
      random: this.random.fork(),
      profile: profile.network,
      tap: {
        uplink: (device, frame) => this.#sent(device, frame),
        delivered: (device, number, link) => this.checker.wire.delivered(device, number, link),
        welcomed: (device, link) => this.checker.wire.welcomed(device, link),
        closed: (device, reason) => this.checker.closedByGateway(device, reason),
      },
      door: { accept: (link) => this.#gateway?.accept(link) ?? null },
    });
    this.#seats = profile.devices.map((settings) => ({
      disk: new DeviceDisk(),
      counter: { value: 0 },
      process: null,
      wire: this.#makeWire(settings),
    }));
    this.#commands = new CommandSource(this, this.random.fork());
    this.#faults = new FaultDriver(this, this.random.fork());
  }

  async run(): Promise<Report> {
    const { timeline, profile } = this;
    this.startGateway();
    profile.devices.forEach((_, index) => {
      timeline.after(this.random.spread(1, 5_000), () => this.bootDevice(index));
    });
    this.#commands.start();
    this.#faults.start();
    try {
      await timeline.run(profile.safetyMs);
      this.#calm();
      await this.#live();
      this.checker.atRest();
    } catch (thrown) {
      // Code under test that throws, or never lets time pass, is a finding like any other.
      this.checker.findings.add("world", thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    }
    this.#gateway?.kill();
    this.home.dispose();
    return this.#report();
  }

  get gateway(): GatewayProcess | null {
    return this.#gateway;
  }

  get deviceCount(): number {
    return this.#seats.length;
  }

  wireOf(index: number): SerialWire | null {
    return this.#seats[index]?.wire ?? null;
  }

  cardOf(index: number): DeviceDisk | null {
    return this.#seats[index]?.disk ?? null;
  }

  startGateway(): void {
    if (this.#gateway !== null || this.#isOpening) return;
    this.#gatewayLives += 1;
    this.story.tell("gateway", "starts", this.#gatewayLives);
    const clock = new ProcessClock(this.timeline, this.wall, this.#machineBootMs);
    const facts = { clock, random: this.random.fork(), bootId: `boot-${this.#machineBootCount}` };
    const parts = {
      ...facts,
      broker: this.broker,
      settings: this.profile.gateway,
      wires: this.#wires(),
      lastRecordId: () => this.home.lastRecordId,
    };
    const events = { durable: () => this.checker.durable(), onFatal: () => this.#fatal() };
    this.#isOpening = true;
    this.home.open({ ...facts, ...events }).then(
      (store) => {
        this.#isOpening = false;
        this.#gateway = new GatewayProcess(parts, store);
        void this.#gateway.start();
      },
      () => {
        this.#isOpening = false;
        this.timeline.after(OPEN_AGAIN_MS, () => this.startGateway());
      },
    );
  }

  /** A copy of what is stored, for later. @returns whether this world's store can be copied. */
  backUp(): boolean {
    this.#hasBackup = this.#gateway !== null && this.home.backUp();
    return this.#hasBackup;
  }

  /** The gateway dies, and comes back on the copy. @returns whether there was one. */
  restore(): boolean {
    if (!this.#hasBackup || !this.killGateway(true)) return false;
    this.story.tell("gateway", "gets a restored store");
    this.home.restore();
    this.checker.storeRestored();
    return true;
  }

  /** @param isMachine the whole machine, not only the process. */
  killGateway(isMachine: boolean): boolean {
    if (this.#gateway === null) return false;
    this.story.tell("gateway", isMachine ? "loses power" : "is killed");
    this.#gateway.kill();
    this.#gateway = null;
    this.network.gatewayDied();
    const downMs = this.random.spread(50, 60_000);
    this.timeline.after(downMs, () => {
      if (isMachine) {
        this.#machineBootMs = this.timeline.nowMs;
        this.#machineBootCount += 1;
      }
      this.startGateway();
    });
    return true;
  }

  bootDevice(index: number): void {
    const seat = this.#seats[index];
    const settings = this.profile.devices[index];
    if (seat === undefined || settings === undefined || seat.process !== null) return;
    const { timeline, random, network, checker, story } = this;
    story.tell(settings.id, "boots");
    const { disk, counter, wire } = seat;
    const parts = { timeline, random, network, checker, story, settings, disk, counter, wire };
    seat.process = settings.edition === "c" ? new CDeviceProcess(parts) : new DeviceProcess(parts);
    if (this.#isQuiet) seat.process.stopReporting();
  }

  /** @param backShare how far back the card goes, 0 … 1; null: it holds what was written last. */
  killDevice(index: number, backShare: number | null): boolean {
    const seat = this.#seats[index];
    const settings = this.profile.devices[index];
    if (seat?.process == null || settings === undefined) return false;
    this.story.tell(settings.id, "loses power");
    seat.process.kill();
    seat.process = null;
    const hasCard = settings.isPersistent && settings.edition === "ts";
    if (backShare !== null && hasCard && seat.disk.goBack(backShare)) {
      this.story.tell(settings.id, "gets an older card");
      this.checker.wentBack(settings.id);
    }
    this.checker.died(settings.id, hasCard ? seat.disk.bodies() : []);
    this.timeline.after(this.random.spread(10, 60_000), () => this.bootDevice(index));
    return true;
  }

  #makeWire({ id, lineNoise }: DeviceSettings): SerialWire | null {
    if (lineNoise === null) return null;
    const tap = (message: Uint8Array): void => void this.#sent(id, message);
    return new SerialWire(this.timeline, this.random.fork(), { noise: lineNoise, tap });
  }

  #wires(): ReadonlyMap<string, SerialWire> {
    const wires = new Map<string, SerialWire>();
    this.profile.devices.forEach(({ id }, i) => {
      const wire = this.#seats[i]?.wire ?? null;
      if (wire !== null) wires.set(id, wire);
    });
    return wires;
  }

  #sent(device: string, frame: Uint8Array) {
    const index = this.profile.devices.findIndex(({ id }) => id === device);
    return this.checker.wire.sent(device, this.#seats[index]?.process?.epoch ?? 0, frame);
  }

  #fatal(): void {
    this.story.tell("gateway", "fsync failed");
    this.killGateway(false);
  }

  #calm(): void {
    this.story.tell("world", "faults are over");
    this.#faults.stop();
    this.#commands.stop();
    this.network.calm();
    this.disk.calm();
    this.broker.calm();
    for (const seat of this.#seats) {
      seat.disk.isFailing = () => false;
      seat.wire?.calm();
    }
    // The last readings are the ones whose way is watched to the end.
    this.timeline.after(10_000, () => {
      this.#isQuiet = true;
      for (const seat of this.#seats) seat.process?.stopReporting();
    });
  }

  async #live(): Promise<void> {
    const { timeline } = this;
    const fromMs = timeline.nowMs;
    await timeline.run(fromMs + SETTLE_MS);
    while (!this.#isAtRest() && timeline.nowMs < fromMs + LIVENESS_MS)
      await timeline.run(timeline.nowMs + LOOK_EVERY_MS);
    if (this.#isAtRest()) return;
    const gateway =
      this.#gateway === null ? "no gateway" : `cursor ${this.#gateway.cursor} of ${this.home.lastRecordId}`;
    const devices = this.#seats.map(({ process }, i) => `dev-${i + 1}: ${process?.facts ?? "off"}`);
    this.checker.findings.add(
      "I8",
      `not at rest after ${LIVENESS_MS / 60_000} minutes: ${gateway}; ${devices.join("; ")}`,
    );
  }

  #isAtRest(): boolean {
    const gateway = this.#gateway;
    if (gateway === null || !gateway.isDrained || gateway.unfinishedCount > 0 || this.#commands.isWaiting) return false;
    return this.#seats.every(({ process }) => process?.isDrained === true);
  }

  #fleet(): Record<string, number> {
    const { devices } = this.profile;
    return {
      devices: devices.length,
      cDevices: devices.filter(({ edition }) => edition === "c").length,
      serialLines: devices.filter(({ lineNoise }) => lineNoise !== null).length,
    };
  }

  #report(): Report {
    const { checker, timeline, story } = this;
    return {
      seed: this.#seed,
      hash: story.hash,
      findings: checker.findings.list,
      violationCount: checker.findings.count,
      deviceHours: (timeline.nowMs / 3_600_000) * this.#seats.length,
      faults: this.#faults.counts,
      counts: { ...checker.delivery.counts, ...checker.commands.counts, ...this.#fleet() },
      eventCount: timeline.eventCount,
      lines: story.lines,
    };
  }
}
