/**
 * Brings commands to devices: per-device order, one not yet received at a time, deadlines, and the question after a
 * reconnect whether the device still has what it was sent.
 *
 *   create ─▶ [queue of the device] ─▶ "sent" durable ─▶ transmit ─▶ received ─▶ next one [P-19]
 *                                         │
 *                 reconnect, same memory ─┤ had it: wait; had it not: the same id again
 *                  reconnect, new memory ─┘ at most once: unknown; at least once: a fresh id [P-18]
 */
import type { Clock } from "../core/clock.js";
import { repeat } from "../core/clock.js";
import { asGatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { CommandEvent, CommandRecord, CommandStore } from "../model/command.js";
import { isFinal } from "./command-machine.js";

/** A live session as the dispatcher needs it. */
export interface DispatchChannel {
  readonly device: string;
  readonly epoch: number;
  readonly lastCommand: number;
  readonly lastWireId: number;
  /** On a link that loses messages: transmit again what was not received after so long, in ms. 0 elsewhere. */
  readonly repeatAfterMs: number;
  /** Can the device receive it? */
  fits(command: { name: string; args: Uint8Array }): boolean;
  deadlineUptime(deadlineMonoMs: number): number | null;
  sendCommand(command: {
    id: number;
    name: string;
    args: Uint8Array;
    deadlineUptimeMs: number;
    atMostOnce: boolean;
  }): void;
}

export interface DispatcherOptions {
  readonly store: Pick<CommandStore, "apply">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of this boot of the machine: a deadline of another boot has passed. */
  readonly bootId: string;
  /** Every change of a command, for viewers and waiters. */
  readonly changed: (record: CommandRecord) => void;
}

/** Nothing is left to do here: final, or unknown, which only a late result of the device can change. */
function isSettled(record: CommandRecord): boolean {
  return isFinal(record.state) || record.state === "unknown";
}

interface Lane {
  /** Unfinished commands of one device, oldest first. */
  commands: CommandRecord[];
  channel: DispatchChannel | null;
  nextWireId: number;
  /** When the last command went out. */
  transmittedMonoMs: number;
  /** Steps of this lane run one after another: the order of a device's commands is the order of its steps. */
  tail: Promise<void>;
  stepCount: number;
}

const SWEEP_EVERY_MS = 250;
/** After the deadline a running command has this long to answer before it is called unknown. */
export const ANSWER_GRACE_MS = 10_000;

/** One per gateway. Holds the unfinished commands of every device; final ones are forgotten. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #stopSweep: () => void;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#stopSweep = repeat(options.clock, SWEEP_EVERY_MS, () => this.#sweep());
  }

  /** Commands that were unfinished at start, and new ones. */
  add(record: CommandRecord): void {
    if (isSettled(record)) return;
    const lane = this.#lane(record.device);
    if (lane.commands.some((known) => known.commandId === record.commandId)) return;
    lane.commands.push(record);
    this.#options.changed(record);
    this.#advance(record.device, lane);
  }

  /** The device got its Welcome: what it was sent before is sorted out, then the queue goes on [P-15] [P-18]. */
  ready(channel: DispatchChannel): void {
    const lane = this.#lane(channel.device);
    lane.channel = channel;
    lane.nextWireId = Math.max(channel.lastWireId, channel.lastCommand, lane.nextWireId - 1) + 1;
    this.#run(channel.device, lane, () => this.#reconcile(lane, channel));
    this.#run(channel.device, lane, () => this.#dispatchNext(lane));
  }

  lost(channel: DispatchChannel): void {
    const lane = this.#lanes.get(channel.device);
    if (lane?.channel === channel) lane.channel = null;
  }

  /** The store applied a device's update: take its new state over. */
  updated(record: CommandRecord): void {
    this.#replace(record);
    const lane = this.#lanes.get(record.device);
    if (lane !== undefined) this.#advance(record.device, lane);
  }

  /** Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE (it was transmitted already). */
  cancel(commandId: string): Promise<CommandRecord> {
    return this.#apply(commandId, { type: "cancel" });
  }

  /** Nothing of this device may run any more: its credential was revoked. */
  async voidDevice(device: string, why: string): Promise<void> {
    const lane = this.#lanes.get(device);
    for (const record of [...(lane?.commands ?? [])]) await this.#apply(record.commandId, { type: "void", why });
  }

  stop(): void {
    this.#stopSweep();
  }

  /** Unfinished commands, for the metrics. */
  get unfinishedCount(): number {
    let count = 0;
    for (const lane of this.#lanes.values()) count += lane.commands.length;
    return count;
  }

  #lane(device: string): Lane {
    let lane = this.#lanes.get(device);
    if (lane === undefined) {
      lane = {
        commands: [],
        channel: null,
        nextWireId: 1,
        transmittedMonoMs: 0,
        tail: Promise.resolve(),
        stepCount: 0,
      };
      this.#lanes.set(device, lane);
    }
    return lane;
  }

  /** What did the device keep of the commands it was sent? */
  async #reconcile(lane: Lane, channel: DispatchChannel): Promise<void> {
    for (const record of [...lane.commands]) {
      if (record.state === "queued") continue;
      const sameMemory = record.wireEpoch === channel.epoch;
      // It has the command, or did it: its update will come [P-18]. At most once under another epoch is the
      // exception: whether it was acted on, only a late result can tell.
      if (channel.lastCommand >= record.wireId && (sameMemory || record.delivery === "atLeastOnce")) continue;
      if (!sameMemory) await this.#apply(record.commandId, { type: "deviceForgot" });
      // The link died before it arrived: the same id again, so that it cannot run twice [P-17].
      else if (record.state === "sent") this.#transmit(lane, record, channel);
    }
  }

  #advance(device: string, lane: Lane): void {
    if (lane.stepCount === 0) this.#run(device, lane, () => this.#dispatchNext(lane));
  }

  async #dispatchNext(lane: Lane): Promise<void> {
    const { channel } = lane;
    if (channel === null || lane.commands.some((record) => record.state === "sent")) return;
    const next = lane.commands.find((record) => record.state === "queued");
    if (next === undefined) return;
    if (this.#remainingMs(next) <= 0) return; // the sweep ends it
    if (!channel.fits({ name: next.name, args: new TextEncoder().encode(next.args) })) {
      const why = "the command is larger than the largest message this device can receive";
      await this.#apply(next.commandId, { type: "void", why });
      return;
    }
    const wireId = lane.nextWireId++;
    const sent = await this.#apply(next.commandId, { type: "dispatch", wireId, epoch: channel.epoch });
    // The session may have ended while "sent" was written: the next Hello tells whether the device has it.
    if (lane.channel === channel) this.#transmit(lane, sent, channel);
  }

  /** The link may have lost it, or the answer: the same id again, which the device knows if it has it [P-17]. */
  #repeatUnreceived(lane: Lane): void {
    const { channel } = lane;
    if (channel === null || channel.repeatAfterMs === 0) return;
    if (this.#options.clock.monoMs() - lane.transmittedMonoMs < channel.repeatAfterMs) return;
    const sent = lane.commands.find((record) => record.state === "sent" && record.wireEpoch === channel.epoch);
    if (sent !== undefined) this.#transmit(lane, sent, channel);
  }

  #transmit(lane: Lane, record: CommandRecord, channel: DispatchChannel): void {
    lane.transmittedMonoMs = this.#options.clock.monoMs();
    const deadlineUptimeMs = channel.deadlineUptime(record.deadlineMonoMs);
    if (deadlineUptimeMs === null) return; // too late to start anything; the sweep ends it
    channel.sendCommand({
      id: record.wireId,
      name: record.name,
      args: new TextEncoder().encode(record.args),
      deadlineUptimeMs,
      atMostOnce: record.delivery === "atMostOnce",
    });
  }

  #sweep(): void {
    for (const [device, lane] of this.#lanes) {
      if (lane.commands.length === 0) {
        if (lane.channel === null && lane.stepCount === 0) this.#lanes.delete(device);
        continue;
      }
      if (lane.stepCount > 0) continue;
      this.#repeatUnreceived(lane);
      for (const record of lane.commands) {
        const graceMs = record.state === "queued" && record.transmissions === 0 ? 0 : ANSWER_GRACE_MS;
        if (this.#remainingMs(record) + graceMs <= 0) {
          this.#run(device, lane, async () => void (await this.#apply(record.commandId, { type: "deadline" })));
        }
      }
      this.#run(device, lane, () => this.#dispatchNext(lane));
    }
  }

  #remainingMs(record: CommandRecord): number {
    if (record.bootId !== this.#options.bootId) return Number.NEGATIVE_INFINITY;
    return record.deadlineMonoMs - this.#options.clock.monoMs();
  }

  /** Queue one step behind the others; a failed one leaves the command for the next sweep. */
  #run(device: string, lane: Lane, step: () => Promise<void>): void {
    lane.stepCount += 1;
    lane.tail = lane.tail
      .then(step)
      .catch((thrown: unknown) => {
        const error = asGatewayError(thrown);
        this.#options.log.warn({ device, error: error.code, why: error.why }, "command step failed");
      })
      .finally(() => {
        lane.stepCount -= 1;
      });
  }

  async #apply(commandId: string, event: CommandEvent): Promise<CommandRecord> {
    const record = await this.#options.store.apply(commandId, event);
    this.#replace(record);
    return record;
  }

  #replace(record: CommandRecord): void {
    const lane = this.#lane(record.device);
    const at = lane.commands.findIndex((known) => known.commandId === record.commandId);
    if (isSettled(record)) {
      if (at >= 0) lane.commands.splice(at, 1);
    } else if (at >= 0) lane.commands[at] = record;
    else lane.commands.push(record);
    this.#options.changed(record);
  }
}
