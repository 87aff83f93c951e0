/**
 * SIGKILL of the real gateway, again and again on the same data: at the k-th fsync, write or send of its life, for
 * every k asked for, or at moments of chance. Devices on the real SDK and a real Mosquitto live through all of it.
 *
 *   start ─▶ 200 messages, each sent after the ack of the one before ─▶ all acked: this k lies behind the run's end
 *     ▲                       │ killed at k
 *     └─────── k + step ──────┘                     at the end: everything drained, and the judge's verdict
 *
 * k counts from the start of the process, so kills during opening, recovery and connecting are among them.
 */
import { join } from "node:path";
import { Device } from "@tidegate/device-sdk";
import type { SeededRandom } from "../random.js";
import { type BrokerOptions, BrokerProcess } from "./broker-process.js";
import { pause, until } from "./child.js";
import { Faultline, type Operation } from "./faultline.js";
import { type Credential, GatewayProcess } from "./gateway-process.js";
import { drained } from "./outage.js";
import { judge, type SenderTotals, type Verdict } from "./verdict.js";

export interface KillStage {
  /** An empty folder. */
  readonly dir: string;
  readonly broker?: Omit<BrokerOptions, "dir">;
  /** One line for each step, for somebody who watches. */
  readonly say?: (text: string) => void;
}

export interface KillPointOptions extends KillStage {
  readonly operation: Operation;
  /** Messages of one run. */
  readonly messages: number;
  /** The first k, and the step to the next one; 1 takes every k. */
  readonly from: number;
  readonly step: number;
  /** The last k; the end of the run when there are fewer. */
  readonly to: number;
}

export interface RandomKillOptions extends KillStage {
  readonly kills: number;
  readonly deviceCount: number;
  /** Each life of the gateway lasts a time of chance up to this, in ms. */
  readonly lifeMsMax: number;
  readonly random: SeededRandom;
}

export interface KillVerdict extends Verdict {
  /** How often the gateway was killed. */
  readonly kills: number;
  /** Kills before it was ready: while it opened or recovered its store. */
  readonly killsWhileStarting: number;
  /** The last k; of `KillPointOptions`. */
  readonly lastPoint: number;
}

/** Files whose fsyncs and writes count: both databases, their WALs, the reserve. */
const DISK = "data/";

const LIFE_MS_MAX = 60_000;
const DRAIN_MS = 60_000;
const SAY_EVERY = 10;

/** Of random kills, those whose time runs from the start of the process and not from its readiness. */
const YOUNG_SHARE = 0.3;

/** Quick reconnects: a run should spend its time on messages. */
const HASTY = { backoffBaseMs: 20, backoffCapMs: 100 };

/** A device that counts its reports, in this process: it outlives every gateway. */
class Counter {
  readonly #device: Device;
  readonly #signal;
  #next = 0;

  constructor(readonly credential: Credential) {
    const { url, deviceId, token, ca } = credential;
    this.#device = new Device({ url, id: deviceId, token, ca, flushIntervalMs: 0, limits: HASTY });
    this.#signal = this.#device.signal("count", { type: "int" });
    this.#device.start();
  }

  /** Report the next number. @returns whether it was acked in time. */
  async report(timeoutMs: number): Promise<boolean> {
    this.#signal.report(this.#next++);
    return this.settle(timeoutMs);
  }

  /** Report without waiting. */
  post(): void {
    this.#signal.report(this.#next++);
  }

  settle(timeoutMs: number): Promise<boolean> {
    return this.#device.flush(timeoutMs).then(
      () => true,
      () => false,
    );
  }

  get totals(): SenderTotals {
    const { deviceId: device } = this.credential;
    return { device, attempted: this.#next, acked: this.#device.stats().samplesAcked };
  }

  stop(): Promise<void> {
    return this.#device.stop();
  }
}

/** Everything that lives through the kills. */
class Theatre {
  kills = 0;
  killsWhileStarting = 0;
  readonly counters: Counter[] = [];

  private constructor(
    readonly broker: BrokerProcess,
    readonly gateway: GatewayProcess,
    readonly faults: Faultline,
  ) {}

  static async open(stage: KillStage, deviceCount: number): Promise<Theatre> {
    const broker = await BrokerProcess.start({ dir: join(stage.dir, "broker"), ...stage.broker });
    await broker.subscribe();
    const faults = new Faultline(stage.dir, DISK);
    const gateway = await GatewayProcess.start({
      dir: join(stage.dir, "gateway"),
      settings: { sinks: [{ name: "broker", type: "mqtt", url: broker.url, minRetry: "10ms", maxRetry: "100ms" }] },
      env: faults.env,
    });
    const theatre = new Theatre(broker, gateway, faults);
    for (let i = 1; i <= deviceCount; i++) {
      theatre.counters.push(new Counter(await gateway.addDevice(`device-${i}`)));
    }
    await gateway.stop();
    return theatre;
  }

  /** Start the gateway. @returns false when it was killed before it was ready. */
  async raise(): Promise<boolean> {
    try {
      await this.gateway.start();
      return true;
    } catch (thrown) {
      if (this.gateway.isRunning) throw thrown; // it hangs
      await this.mourn(thrown);
      this.killsWhileStarting += 1;
      return false;
    }
  }

  /** It has ended: by our kill, or the rehearsal has failed. */
  async mourn(thrown?: unknown): Promise<void> {
    const { signal, code } = await this.gateway.exited;
    if (signal !== "SIGKILL") {
      throw new Error(`the gateway ended by itself (${signal ?? code}): ${this.gateway.words}`, { cause: thrown });
    }
    this.kills += 1;
  }

  async verdict(lastPoint: number): Promise<KillVerdict> {
    this.faults.heal();
    if (!this.gateway.isRunning) await this.gateway.start();
    await Promise.all(this.counters.map((counter) => counter.settle(DRAIN_MS)));
    await drained(this.gateway);
    const totals = this.counters.map((counter) => counter.totals);
    const look = (): Verdict => judge(totals, this.broker.received(), "count");
    // The broker has acked, but its subscriber may still be reading; what never comes is for the verdict.
    await until("the subscriber has everything", () => look().missing === 0, DRAIN_MS).catch(() => {});
    return { ...look(), kills: this.kills, killsWhileStarting: this.killsWhileStarting, lastPoint };
  }

  async close(): Promise<void> {
    this.faults.heal();
    await Promise.all(this.counters.map((counter) => counter.stop()));
    await this.gateway.stop();
    await this.broker.end();
    this.faults.close();
  }
}

/** Kill at every k asked for. Leaves no process behind. */
export async function rehearseKillPoints(options: KillPointOptions): Promise<KillVerdict> {
  const { operation, from, to, step, messages } = options;
  const theatre = await Theatre.open(options, 1);
  try {
    let point = from;
    for (; point <= to; point += step) {
      theatre.faults.killAt(operation, point);
      if (await isRunWhole(theatre, messages)) break;
      if (theatre.kills % SAY_EVERY === 0) options.say?.(`killed at ${operation} ${point}`);
    }
    options.say?.(`${theatre.kills} kills; waiting for the backlog`);
    return await theatre.verdict(Math.min(point, to));
  } finally {
    await theatre.close();
  }
}

/** One life of the gateway. @returns whether it survived all its messages. */
async function isRunWhole(theatre: Theatre, messages: number): Promise<boolean> {
  if (!(await theatre.raise())) return false;
  const [counter] = theatre.counters;
  for (let sent = 0; sent < messages && theatre.gateway.isRunning; sent++) {
    const death = theatre.gateway.exited.then(() => false);
    await Promise.race([counter?.report(LIFE_MS_MAX), death]);
  }
  if (theatre.gateway.isRunning) return true;
  await theatre.mourn();
  return false;
}

/** Kill at moments of chance, under devices that report without waiting. Leaves no process behind. */
export async function rehearseRandomKills(options: RandomKillOptions): Promise<KillVerdict> {
  const { kills, deviceCount, lifeMsMax, random } = options;
  const theatre = await Theatre.open(options, deviceCount);
  try {
    while (theatre.kills < kills) {
      // Some are killed while they start; most while they work.
      const isYoung = random.unit() < YOUNG_SHARE;
      const lifeMs = random.unit() * lifeMsMax;
      const later = (): Promise<void> => pause(lifeMs).then(() => theatre.gateway.kill());
      const early = isYoung ? later() : null;
      const isUp = await theatre.raise();
      const death = early ?? later();
      while (isUp && theatre.gateway.isRunning) {
        for (const counter of theatre.counters) counter.post();
        await pause(random.unit() * 20);
      }
      await death;
      if (isUp) await theatre.mourn();
      if (theatre.kills % SAY_EVERY === 0) options.say?.(`${theatre.kills} kills`);
    }
    options.say?.("waiting for the backlog");
    return await theatre.verdict(0);
  } finally {
    await theatre.close();
  }
}
