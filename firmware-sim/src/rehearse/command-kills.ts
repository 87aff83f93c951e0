/**
 * SIGKILL of the gateway, or of the device, at the k-th fsync, write or send behind the moment a command is asked for,
 * for every k of its way. The asker repeats its question under the same idempotency key; what died is started again.
 *
 *   ask ─▶ [made, sent ─▶ received ─▶ started ─▶ effect ─▶ succeeded]  ✂ at k  ─▶ start again ─▶ wait for the end
 *
 * The device writes its effects to a file of their own, which is what counts in the end:
 *
 *   at most once    it ran once or never
 *   at least once   it ran, and again only where the device itself died
 *   either          succeeded: it ran · expired: it never ran · there is an end, and it is told
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ActorProcess, type Edition, KEEPS } from "./actor-process.js";
import { pause, stopwatch, until } from "./child.js";
import { Faultline, type Operation } from "./faultline.js";
import { GatewayProcess } from "./gateway-process.js";

export type CommandDelivery = "atMostOnce" | "atLeastOnce";

/** Who is killed. */
export type Victim = "gateway" | "device";

/** One way through all its points. */
export interface CommandKillOptions {
  /** An empty folder, or one that is made. */
  readonly dir: string;
  readonly victim: Victim;
  /** The SDK of the device. */
  readonly edition: Edition;
  /** The device's memory survives it. */
  readonly isPersistent: boolean;
  readonly operation: Operation;
  readonly delivery: CommandDelivery;
  readonly from: number;
  /** The last k; sooner when the command's way ends before. */
  readonly to: number;
  readonly step: number;
  readonly say?: (text: string) => void;
}

export interface CommandKillVerdict {
  readonly kills: number;
  readonly asked: number;
  /** How often the device ran one, all together. */
  readonly ran: number;
  readonly succeeded: number;
  readonly unknown: number;
  readonly expired: number;
  /** What breaks the contract, in words: must be empty. */
  readonly faults: readonly string[];
}

/** A store's files; also what the service writes beside them. */
const DISK = "gateway/data/";

/** A busy machine may take long to start a gateway again: the end must not come by the clock. */
const TTL_MS = 60_000;
const END_MS_MAX = 120_000;
const ENDS = ["succeeded", "failed", "expired", "unknown", "cancelled"];

/** So many points in a row that the command did not reach: its way has ended. Heartbeats make one of them chance. */
const UNREACHED_MAX = 2;

/** Kill at every k asked for. Leaves no process behind. */
export async function rehearseCommandKills(options: CommandKillOptions): Promise<CommandKillVerdict> {
  const { operation, from, to, step } = options;
  const stage = await CommandStage.open(options);
  const tally = { kills: 0, asked: 0, succeeded: 0, unknown: 0, expired: 0 };
  const wrong: string[] = [];
  try {
    let unreached = 0;
    for (let k = from; k <= to && unreached < UNREACHED_MAX; k += step) {
      const { state, why, deaths, tookMs } = await stage.see(k);
      unreached = deaths === 0 ? unreached + 1 : 0;
      tally.kills += deaths;
      tally.asked += 1;
      if (state === "succeeded" || state === "unknown" || state === "expired") tally[state] += 1;
      const runs = stage.actor.ran(k);
      const fault = faultOf(options, { state, runs, deaths, tookMs });
      if (fault !== null) wrong.push(`${options.victim} killed at ${operation} ${k}: ${fault}`);
      const reason = why === null ? "" : ` (${why})`;
      options.say?.(`${operation} ${k}: ${deaths === 0 ? "not reached, " : ""}${state}, ran ${runs}${reason}`);
    }
    return { ...tally, ran: stage.actor.ranCount, faults: wrong };
  } finally {
    await stage.close();
  }
}

interface Seen {
  readonly state: string;
  /** What the gateway says about it, where it says anything. */
  readonly why: string | null;
  readonly deaths: number;
  readonly tookMs: number;
}

/** What breaks the contract, in words; null: nothing. */
export function faultOf(
  { delivery, victim }: Pick<CommandKillOptions, "delivery" | "victim">,
  { state, runs, deaths, tookMs }: Omit<Seen, "why"> & { readonly runs: number },
): string | null {
  if (!ENDS.includes(state) || state === "failed" || state === "cancelled") return `it ended ${state}`;
  if (state === "succeeded" && runs === 0) return "it succeeded and never ran";
  if (state === "expired" && runs > 0) return "it expired and ran";
  if (delivery === "atMostOnce") return runs > 1 ? `it ran ${runs} times` : null;
  if (state !== "succeeded" && tookMs < TTL_MS) return `it ended ${state} although there was time`;
  const runsMax = victim === "device" ? 1 + deaths : 1;
  return runs > runsMax ? `it ran ${runs} times, and the device died ${runsMax - 1} times` : null;
}

/** The gateway, the device, and the one who asks. */
class CommandStage {
  readonly actor: ActorProcess;
  readonly #gateway: GatewayProcess;
  readonly #faults: Faultline;
  readonly #options: CommandKillOptions;
  #deaths = 0;

  private constructor(
    options: CommandKillOptions,
    parts: { gateway: GatewayProcess; actor: ActorProcess; faults: Faultline },
  ) {
    this.#options = options;
    this.actor = parts.actor;
    this.#gateway = parts.gateway;
    this.#faults = parts.faults;
  }

  static async open(options: CommandKillOptions): Promise<CommandStage> {
    const { dir, victim, edition, isPersistent } = options;
    mkdirSync(dir, { recursive: true });
    const faults = new Faultline(dir, victim === "gateway" ? DISK : KEEPS);
    // The C edition of the rehearsal speaks no TLS; on loopback the gateway allows that.
    const settings = edition === "c" ? { devices: { tls: "off" } } : {};
    const env = (whose: Victim) => (whose === victim ? faults.env : {});
    const gateway = await GatewayProcess.start({ dir: join(dir, "gateway"), settings, env: env("gateway") });
    try {
      const credential = await gateway.addDevice("actor");
      const life = { edition, dir: join(dir, "actor"), credential, isPersistent, env: env("device") };
      const stage = new CommandStage(options, { gateway, faults, actor: new ActorProcess(life) });
      stage.actor.start();
      return stage;
    } catch (thrown) {
      await gateway.stop();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#faults.heal();
    await this.actor.kill();
    await this.#gateway.stop();
    this.#faults.close();
  }

  /** Ask for number `k`, with a kill at k, and see it through. */
  async see(k: number): Promise<Seen> {
    await until("the device is online", () => this.#alive(() => this.#isOnline()), END_MS_MAX);
    this.#deaths = 0;
    this.#faults.killAt(this.#options.operation, k);
    const elapsedMs = stopwatch();
    let commandId: string | null = null;
    let state = "";
    let why: string | null = null;
    const look = async (): Promise<boolean> => {
      commandId ??= await this.#ask(k);
      const { body } = await this.#gateway.call("GET", `/api/v1/commands/${commandId}`);
      state = String(body.state);
      why = body.error === null ? null : String(body.error);
      return ENDS.includes(state);
    };
    await until(`command ${k} comes to its end`, () => this.#alive(look), END_MS_MAX);
    const tookMs = elapsedMs();
    this.#faults.heal();
    await this.#revive();
    return { state, why, deaths: this.#deaths, tookMs };
  }

  /** Whoever has died is started again, on what was kept. */
  async #revive(): Promise<void> {
    if (this.actor.isRunning && this.#gateway.isRunning) return;
    this.#deaths += 1;
    this.#faults.heal();
    if (!this.#gateway.isRunning) await this.#gateway.start();
    if (!this.actor.isRunning) this.actor.start();
  }

  /** Look while everybody lives. @returns false while somebody has to come back: a call that fails is a TypeError */
  async #alive(look: () => Promise<boolean>): Promise<boolean> {
    await this.#revive();
    try {
      return await look();
    } catch (thrown) {
      // A process that is being killed is not gone at once; whoever waits is bounded.
      if (!(thrown instanceof TypeError)) throw thrown;
      await pause(50);
      return false;
    }
  }

  async #isOnline(): Promise<boolean> {
    const { body } = await this.#gateway.call("GET", "/api/v1/devices/actor");
    return body.online === true;
  }

  async #ask(n: number): Promise<string> {
    const request = { name: "act", args: { n }, delivery: this.#options.delivery, ttlMs: TTL_MS };
    const { body } = await this.#gateway.call("POST", "/api/v1/devices/actor/commands", request, {
      "idempotency-key": `act-${n}`,
    });
    return String(body.commandId);
  }
}
