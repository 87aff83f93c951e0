/**
 * SIGKILL of the gateway at the k-th fsync, write or send behind the moment a command is asked for, for every k of its
 * way: made, told, sent, received, started, done. The asker repeats its question under the same idempotency key.
 *
 *   ask ─▶ [made ─▶ sent ─▶ received ─▶ succeeded]  ✂ at k  ─▶ start again ─▶ ask again, same key ─▶ wait for the end
 *
 * At most once: it ran once or never. At least once: what succeeded ran. Expired: it never ran.
 */
import { Device } from "@tidegate/device-sdk";
import { pause, until } from "./child.js";
import { Faultline, type Operation } from "./faultline.js";
import { GatewayProcess } from "./gateway-process.js";

export type CommandDelivery = "atMostOnce" | "atLeastOnce";

export interface CommandKillOptions {
  /** An empty folder. */
  readonly dir: string;
  readonly operation: Operation;
  readonly delivery: CommandDelivery;
  readonly from: number;
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

const TTL_MS = 15_000;
const END_MS_MAX = 120_000;
const ENDS = ["succeeded", "failed", "expired", "unknown", "cancelled"];
const HASTY = { backoffBaseMs: 20, backoffCapMs: 100 };

/** Kill at every k asked for. Leaves no process behind. */
export async function rehearseCommandKills(options: CommandKillOptions): Promise<CommandKillVerdict> {
  const { dir, operation, from, to, step } = options;
  const faults = new Faultline(dir, DISK);
  const gateway = await GatewayProcess.start({ dir: `${dir}/gateway`, env: faults.env });
  const actor = new Actor(gateway, options.delivery);
  await actor.start();
  const tally = { kills: 0, asked: 0, succeeded: 0, unknown: 0, expired: 0 };
  const wrong: string[] = [];
  try {
    for (let k = from; k <= to; k += step) {
      faults.killAt(operation, k);
      const state = await actor.see(k, async () => {
        tally.kills += 1;
        faults.heal();
        await gateway.start();
      });
      faults.heal();
      tally.asked += 1;
      if (state === "succeeded" || state === "unknown" || state === "expired") tally[state] += 1;
      const fault = actor.faultOf(k, state);
      if (fault !== null) wrong.push(`killed at ${operation} ${k}: ${fault}`);
      options.say?.(`${operation} ${k}: ${state}`);
    }
    return { ...tally, ran: actor.ranCount, faults: wrong };
  } finally {
    await actor.stop();
    await gateway.stop();
    faults.close();
  }
}

/** The device that runs commands, and the one who asks for them. */
class Actor {
  readonly #gateway: GatewayProcess;
  readonly #delivery: CommandDelivery;
  /** How often each was run. */
  readonly #runs = new Map<number, number>();
  #device: Device | null = null;

  constructor(gateway: GatewayProcess, delivery: CommandDelivery) {
    this.#gateway = gateway;
    this.#delivery = delivery;
  }

  async start(): Promise<void> {
    const { url, deviceId, token, ca } = await this.#gateway.addDevice("actor");
    const device = new Device({ url, id: deviceId, token, ca, flushIntervalMs: 20, limits: HASTY });
    device.signal("level", { type: "int" });
    device.command("act", { idempotent: this.#delivery === "atLeastOnce" }, (args) => {
      const { n } = args as { n: number }; // what `see` asks for
      this.#runs.set(n, (this.#runs.get(n) ?? 0) + 1);
      return { n };
    });
    this.#device = device;
    device.start();
    await until("the device is online", () => device.stats().state === "online");
  }

  get ranCount(): number {
    return [...this.#runs.values()].reduce((sum, runs) => sum + runs, 0);
  }

  stop(): Promise<void> {
    return this.#device?.stop() ?? Promise.resolve();
  }

  /** Ask for one and see it through. @param revive called when the gateway has died. @returns its last state */
  async see(n: number, revive: () => Promise<void>): Promise<string> {
    let commandId: string | null = null;
    let state = "";
    const step = async (): Promise<boolean> => {
      try {
        commandId ??= await this.#ask(n);
        const { body } = await this.#gateway.call("GET", `/api/v1/commands/${commandId}`);
        state = String(body.state);
        return ENDS.includes(state);
      } catch (thrown) {
        await pause(50); // a process that is being killed is not gone at once
        if (this.#gateway.isRunning) throw thrown;
        await revive();
        return false;
      }
    };
    await until(`command ${n} comes to its end`, step, END_MS_MAX);
    return state;
  }

  async #ask(n: number): Promise<string> {
    const request = { name: "act", args: { n }, delivery: this.#delivery, ttlMs: TTL_MS };
    const { body } = await this.#gateway.call("POST", "/api/v1/devices/actor/commands", request, {
      "idempotency-key": `act-${n}`,
    });
    return String(body.commandId);
  }

  faultOf(n: number, state: string): string | null {
    const runs = this.#runs.get(n) ?? 0;
    if (this.#delivery === "atMostOnce" && runs > 1) return `it ran ${runs} times`;
    if (state === "succeeded" && runs === 0) return "it succeeded and never ran";
    if (state === "expired" && runs > 0) return "it expired and ran";
    if (!ENDS.includes(state) || state === "failed") return `it ended ${state}`;
    return null;
  }
}
