/**
 * A whole world from one seed: gateway, devices, broker, disks and network in one process, on one timeline.
 *
 *   safety phase    faults strike; the checker watches what must never happen
 *   liveness phase  faults are over; everybody must connect and everything must drain within a bounded time
 */
import { Broker } from "./broker.js";
import { Checker } from "./checker/checker.js";
import type { WorldRules } from "./checker/world-rules.js";
import { CommandSource } from "./command-source.js";
import { FaultDriver } from "./fault-driver.js";
import { Fleet } from "./fleet.js";
import { GatewayProcess } from "./gateway-process.js";
import { Network } from "./network.js";
import { ProcessClock, WALL_START_UNIX_MS, type WallClock } from "./process-clock.js";
import { drawProfile, type Profile } from "./profile.js";
import { Seeded } from "./seeded.js";
import { SINK } from "./sink-process.js";
import type { Stage } from "./stage.js";
import { GatewayDisk } from "./store/gateway-disk.js";
import { SimHome } from "./store/sim-home.js";
import { SqlHome } from "./store/sql-home.js";
import type { StoreHome } from "./store/world-store.js";
import { Story } from "./story.js";
import { Timeline } from "./timeline.js";

/** Sessions may back off for minutes, wait for silence on a half-open link, and drain one by one: then it is a hang. */
const LIVENESS_MS = 2 * 3_600_000;
/** Unless the sink goes forward: each record that a broker hangs up on takes it several sessions. */
const LIVENESS_MS_MAX = 24 * 3_600_000;
/** After the last command's deadline its state must be told within this time. */
const SETTLE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;
const LAST_READINGS_MS = 10_000;
/** How often, and how many times, what is aside is sent again to a mended broker. */
const MEND_MS = 20_000;
const MEND_TRIES_MAX = 60;
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
  readonly fleet: Fleet;
  readonly wall: WallClock = { offsetMs: WALL_START_UNIX_MS };
  readonly #seed: number;
  readonly #commands: CommandSource;
  readonly #faults: FaultDriver;
  #gateway: GatewayProcess | null = null;
  #machineBootMs = 0;
  #machineBootCount = 1;
  #gatewayLives = 0;
  #isOpening = false;
  #hasBackup = false;

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
    this.checker = new Checker({
      story: this.story,
      tables: () => this.home.tables,
      machineBootMs: () => this.#machineBootMs,
      rules: rulesOf(profile, (id) => this.broker.poison.wasRefused(id)),
    });
    this.broker = new Broker(timeline, this.random.fork(), profile.broker, (topic, payload) => {
      this.story.tell("broker", "took", payload.slice(0, payload.indexOf(",")));
      this.checker.taken(topic, payload);
    });
    this.network = new Network({
      timeline,
      random: this.random.fork(),
      profile: profile.network,
      tap: {
        uplink: (device, frame, epoch) => this.fleet.sent(device, epoch, frame),
        delivered: (device, number, link) => this.checker.wire.delivered(device, number, link),
        welcomed: (device, link) => this.checker.wire.welcomed(device, link),
        lateHello: (device) => this.checker.lateHello(device),
        closed: (device, reason) => this.checker.closedByGateway(device, reason, timeline.nowMs),
      },
      door: { accept: (link) => this.#gateway?.accept(link) ?? null },
    });
    const { checker, network, story, random } = this;
    this.fleet = new Fleet({ timeline, random, network, checker, story, devices: profile.devices });
    this.#commands = new CommandSource(this, this.random.fork());
    this.#faults = new FaultDriver(this, this.random.fork());
  }

  async run(): Promise<Report> {
    const { timeline, profile } = this;
    this.startGateway();
    profile.devices.forEach((_, index) => {
      timeline.after(this.random.spread(1, 5_000), () => this.fleet.boot(index));
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
      wires: this.fleet.wires(),
      lastRecordId: () => this.home.lastRecordId,
    };
    const events = { durable: () => this.checker.durable(), onFatal: () => this.#fatal() };
    this.#isOpening = true;
    this.home.open({ ...facts, ...events }).then(
      (store) => {
        this.#isOpening = false;
        this.#gateway = new GatewayProcess(parts, store);
        this.checker.consumer.gatewayStarted();
        void this.#gateway.start();
      },
      () => {
        this.#isOpening = false;
        this.timeline.after(OPEN_AGAIN_MS, () => this.startGateway());
      },
    );
  }

  rot(): boolean {
    const hits = this.#gateway === null ? null : this.home.rot(this.random);
    for (const hit of hits ?? []) {
      this.story.tell("store", "a bit flips in", hit.deviceKey, hit.epoch, hit.seq, hit.kind);
      this.checker.rotted(hit);
    }
    return hits !== null;
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
    // The last readings are the ones whose way is watched to the end.
    this.fleet.calm(LAST_READINGS_MS);
  }

  async #live(): Promise<void> {
    const { timeline } = this;
    const fromMs = timeline.nowMs;
    await timeline.run(fromMs + SETTLE_MS);
    let cursor = 0;
    let movedMs = fromMs;
    while (!this.#isAtRest() && timeline.nowMs < Math.min(movedMs + LIVENESS_MS, fromMs + LIVENESS_MS_MAX)) {
      await timeline.run(timeline.nowMs + LOOK_EVERY_MS);
      const reached = this.#gateway?.cursor ?? 0;
      if (reached > cursor) movedMs = timeline.nowMs;
      cursor = Math.max(cursor, reached);
    }
    if (this.#isAtRest()) {
      await this.#mend();
      return;
    }
    const gateway =
      this.#gateway === null ? "no gateway" : `cursor ${this.#gateway.cursor} of ${this.home.lastRecordId}`;
    this.checker.findings.add(
      "I8",
      `not at rest after ${Math.round((timeline.nowMs - fromMs) / 60_000)} minutes: ${gateway}; ${this.fleet.facts}`,
    );
  }

  /** The broker takes everything again, and what it had refused is sent again: all of it must be taken then. */
  async #mend(): Promise<void> {
    const { timeline, broker } = this;
    broker.poison.mend();
    let asideCount = 0;
    const look = (gateway: GatewayProcess) => {
      void gateway.requeue();
      void gateway.asideCount().then((count) => {
        asideCount = count;
      });
    };
    for (let tries = 0; tries < MEND_TRIES_MAX; tries++) {
      if (this.#gateway !== null && broker.poison.refused.size > 0) look(this.#gateway);
      // Also the last watermarks have their interval.
      await timeline.run(timeline.nowMs + MEND_MS);
      if (asideCount === 0 && tries > 0) return;
    }
    this.checker.findings.add("I8", `${asideCount} records are still aside although the broker takes everything`);
  }

  #isAtRest(): boolean {
    const gateway = this.#gateway;
    if (gateway === null || !gateway.isDrained || gateway.unfinishedCount > 0 || this.#commands.isWaiting) return false;
    return this.fleet.isDrained;
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
      deviceHours: (timeline.nowMs / 3_600_000) * this.fleet.count,
      faults: new Map([...this.#faults.counts, ...this.fleet.traps.counts]),
      counts: { ...checker.counts, refused: this.broker.poison.refused.size, ...this.#fleet() },
      eventCount: timeline.eventCount,
      lines: story.lines,
    };
  }
}

/** What the judge has to know of this profile. */
function rulesOf({ sql, gateway }: Profile, wasRefused: (id: string) => boolean): WorldRules {
  const isHeld = sql !== null && (sql.holdMaxAgeMs !== null || sql.holdMaxBytes !== null);
  const isLossy = isHeld || sql?.whenFull === "drop-oldest";
  return { isLossy, isInOrder: gateway.sink.backlogShare === null, wasRefused };
}
