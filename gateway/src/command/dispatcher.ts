/**
 * Brings commands to devices: per-device order, one not yet received at a time, deadlines, and the question after a
 * reconnect whether the device still has what it was sent.
 *
 *   create ─┬─▶ [queue of the device] ─▶ "sent" durable ─▶ transmit ─▶ received ─▶ next one [P-19]
 *           └─ nothing waits ─▶ made and "sent" in one commit ──┘
 *                                         │
 *                 reconnect, same memory ─┤ had it: wait; had it not: the same id again
 *                  reconnect, new memory ─┘ at most once: unknown; at least once: a fresh id [P-18]
 */
import type { Clock } from "../core/clock.js";
import { repeat } from "../core/clock.js";
import { asGatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { CommandEvent, CommandRecord, CommandStore, CreateOutcome, NewCommand } from "../model/command.js";
import { type DispatchChannel, emptyLane, isAbandoned, isFree, isSettled, type Lane } from "./lane.js";

export type { DispatchChannel } from "./lane.js";

export interface DispatcherOptions {
  readonly store: Pick<CommandStore, "create" | "apply">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of this boot of the machine: a deadline of another boot has passed. */
  readonly bootId: string;
  /** Every change of a command, for viewers and waiters. */
  readonly changed: (record: CommandRecord) => void;
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

  /**
   * Make a command: durable when this resolves. Where its device can take it at once, the same commit says that it is
   * sent, and it is transmitted behind that commit [P-15].
   * Errors: those of `CommandStore.create`.
   */
  create(request: NewCommand): Promise<CreateOutcome> {
    const lane = this.#lane(request.device);
    const { channel } = lane;
    return channel !== null && isFree(lane) && channel.fits(wireForm(request))
      ? this.#createSent(lane, channel, request)
      : this.#createQueued(lane, request);
  }

  /** Commands that were unfinished at start, and new ones. */
  add(record: CommandRecord): void {
    if (isSettled(record)) return;
    const lane = this.#lane(record.device);
    if (lane.commands.some((known) => known.commandId === record.commandId)) return;
    lane.commands.push(record);
    this.#options.changed(record);
    this.#advance(lane);
  }

  /** The device got its Welcome: what it was sent before is sorted out, then the queue goes on [P-15] [P-18]. */
  ready(channel: DispatchChannel): void {
    const lane = this.#lane(channel.device);
    lane.channel = channel;
    lane.nextWireId = Math.max(channel.lastWireId, channel.lastCommand, lane.nextWireId - 1) + 1;
    this.#run(lane, () => this.#reconcile(lane, channel));
    this.#run(lane, () => this.#dispatchNext(lane));
  }

  lost(channel: DispatchChannel): void {
    const lane = this.#lanes.get(channel.device);
    if (lane?.channel === channel) lane.channel = null;
  }

  /** The store applied a device's update: take its new state over. */
  updated(record: CommandRecord): void {
    this.#replace(record);
    const lane = this.#lanes.get(record.device);
    if (lane !== undefined) this.#advance(lane);
  }

  /** Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE (it was transmitted already). */
  cancel(commandId: string): Promise<CommandRecord> {
    return this.#apply(commandId, { type: "cancel" });
  }

  /** Nothing of this device may run any more: its credential was revoked. */
  async voidDevice(device: string, why: string): Promise<void> {
    const lane = this.#lanes.get(device);
    if (lane === undefined) return;
    lane.ended = { why };
    for (const record of [...lane.commands]) await this.#apply(record.commandId, { type: "void", why });
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
      lane = emptyLane(device);
      this.#lanes.set(device, lane);
    }
    return lane;
  }

  async #createQueued(lane: Lane, request: NewCommand): Promise<CreateOutcome> {
    const { ended } = lane;
    lane.makingCount += 1;
    let outcome: CreateOutcome;
    try {
      outcome = await this.#options.store.create(request, null);
    } finally {
      lane.makingCount -= 1;
    }
    if (outcome.repeated) return outcome;
    this.#endWhatCameLate(lane, outcome.command, ended);
    this.add(outcome.command);
    return outcome;
  }

  /**
   * A command that was being made while all others were ended goes the same way.
   * @param before what had ended the lane's commands when this one was asked for. @returns true: it ends.
   */
  #endWhatCameLate(lane: Lane, { commandId }: CommandRecord, before: Lane["ended"]): boolean {
    const { ended } = lane;
    if (ended === null || ended === before) return false;
    this.#run(lane, async () => void (await this.#apply(commandId, { type: "void", why: ended.why })));
    return true;
  }

  #createSent(lane: Lane, channel: DispatchChannel, request: NewCommand): Promise<CreateOutcome> {
    const { ended } = lane;
    const offer = { wireId: lane.nextWireId++, epoch: channel.epoch };
    const created = this.#options.store.create(request, offer);
    // A refusal is for the one who asked; here it only ends the step.
    const made = created.then(({ command, repeated }) => (repeated ? null : command)).catch(() => null);
    this.#run(lane, async () => {
      const command = await made;
      if (command === null) return;
      this.#replace(command);
      if (this.#endWhatCameLate(lane, command, ended)) return;
      if (command.state === "sent") await this.#send(lane, command, channel);
    });
    // Whatever was asked for meanwhile, or was left waiting.
    this.#run(lane, () => this.#dispatchNext(lane));
    return created;
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

  #advance(lane: Lane): void {
    if (lane.stepCount === 0) this.#run(lane, () => this.#dispatchNext(lane));
  }

  async #dispatchNext(lane: Lane): Promise<void> {
    const { channel } = lane;
    if (channel === null || lane.commands.some((record) => record.state === "sent")) return;
    const next = lane.commands.find((record) => record.state === "queued");
    if (next === undefined) return;
    if (this.#remainingMs(next) <= 0) return; // the sweep ends it
    if (!channel.fits(wireForm(next))) {
      const why = "the command is larger than the largest message this device can receive";
      await this.#apply(next.commandId, { type: "void", why });
      return;
    }
    const wireId = lane.nextWireId++;
    const sent = await this.#apply(next.commandId, { type: "dispatch", wireId, epoch: channel.epoch });
    await this.#send(lane, sent, channel);
  }

  /** "Sent" is on disk: now it may go out [P-15]. */
  async #send(lane: Lane, sent: CommandRecord, channel: DispatchChannel): Promise<void> {
    // The session may have ended while it was written: the next Hello tells whether the device has it.
    if (lane.channel !== channel || this.#transmit(lane, sent, channel)) return;
    await this.#apply(sent.commandId, { type: "tooLate" });
  }

  /** The link may have lost it, or the answer: the same id again, which the device knows if it has it [P-17]. */
  #repeatUnreceived(lane: Lane): void {
    const { channel } = lane;
    if (channel === null || channel.repeatAfterMs === 0) return;
    if (this.#options.clock.monoMs() - lane.transmittedMonoMs < channel.repeatAfterMs) return;
    const sent = lane.commands.find((record) => record.state === "sent" && record.wireEpoch === channel.epoch);
    if (sent !== undefined) this.#transmit(lane, sent, channel);
  }

  /** @returns false when it is too late to start anything: nothing went out. */
  #transmit(lane: Lane, record: CommandRecord, channel: DispatchChannel): boolean {
    // A deadline of another boot stands on a clock that is gone: nobody can say how late it is.
    if (record.bootId !== this.#options.bootId) return false;
    lane.transmittedMonoMs = this.#options.clock.monoMs();
    const deadlineUptimeMs = channel.deadlineUptime(record.deadlineMonoMs);
    if (deadlineUptimeMs === null) return false;
    const atMostOnce = record.delivery === "atMostOnce";
    channel.sendCommand({ id: record.wireId, ...wireForm(record), deadlineUptimeMs, atMostOnce });
    return true;
  }

  #sweep(): void {
    for (const [device, lane] of this.#lanes) {
      if (lane.commands.length === 0) {
        if (isAbandoned(lane)) this.#lanes.delete(device);
        continue;
      }
      if (lane.stepCount > 0) continue;
      this.#repeatUnreceived(lane);
      for (const record of lane.commands) {
        const graceMs = record.state === "queued" && record.transmissions === 0 ? 0 : ANSWER_GRACE_MS;
        if (this.#remainingMs(record) + graceMs <= 0) {
          this.#run(lane, async () => void (await this.#apply(record.commandId, { type: "deadline" })));
        }
      }
      this.#run(lane, () => this.#dispatchNext(lane));
    }
  }

  #remainingMs(record: CommandRecord): number {
    if (record.bootId !== this.#options.bootId) return Number.NEGATIVE_INFINITY;
    return record.deadlineMonoMs - this.#options.clock.monoMs();
  }

  /** Queue one step behind the others; a failed one leaves the command for the next sweep. */
  #run(lane: Lane, step: () => Promise<void>): void {
    lane.stepCount += 1;
    lane.tail = lane.tail
      .then(step)
      .catch((thrown: unknown) => {
        const error = asGatewayError(thrown);
        this.#options.log.warn({ device: lane.device, error: error.code, why: error.why }, "command step failed");
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

/** The part of a command that travels as it was asked for. */
function wireForm({ name, args }: { readonly name: string; readonly args: string }) {
  return { name, args: new TextEncoder().encode(args) };
}
