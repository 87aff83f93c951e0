/**
 * Commands in the tables: made once per idempotency key, moved by the machine, their outcome told in-band.
 *
 *   API, MQTT ──create──▶ ┐                           (with an offer: also "sent", in the same transaction)
 *   dispatcher ──apply──▶ ├─▶ machine.step ──▶ commands, wire ids ──▶ commandOutcome record, same transaction
 *   batch ──CommandUpdate▶┘
 *
 * The machine itself lives in `command/`; the book declares the one function it needs and `main` connects it.
 */
import { type CommandUpdate, crc32, CommandState as DeviceState } from "@tidegate/proto";
import { GatewayError } from "../core/errors.js";
import type { CommandEvent, CommandRecord, CreateOutcome, NewCommand, SendOffer } from "../model/command.js";
import { Accuracy, type CommandOutcomeBody, RecordKind } from "../model/record.js";
import type { CommandTables, StreamTables } from "./tables.js";

/** The command machine, as `command/command-machine.ts` offers it: pure. */
export type CommandStep = (
  record: CommandRecord,
  event: CommandEvent,
  now: { readonly unixMs: number },
) =>
  | {
      readonly ok: true;
      readonly record: CommandRecord;
      /** An outcome must be told. */
      readonly becameFinal: boolean;
      readonly changed: boolean;
    }
  | { readonly ok: false; readonly why: string };

/** Repeats of an idempotency key are recognised for this long. */
export const IDEMPOTENCY_MS = 24 * 3_600_000;

/** Unfinished commands per device. */
export const OPEN_COMMANDS_MAX = 64;

export interface CommandLimits {
  /** Repeats of an idempotency key are recognised so long, in ms; over a reboot as long as the command is kept. */
  readonly idempotencyMs: number;
  readonly unfinishedPerDeviceMax: number;
}

const COMMAND_LIMITS: CommandLimits = {
  idempotencyMs: IDEMPOTENCY_MS,
  unfinishedPerDeviceMax: OPEN_COMMANDS_MAX,
};

/** What a new command is made with beside the request: the store owns neither clock nor randomness. */
export interface CommandBirth {
  readonly commandId: string;
  readonly unixMs: number;
  readonly monoMs: number;
  readonly bootId: string;
}

type BookTables = CommandTables & StreamTables;

/** Makes, moves and tells commands over the tables; every call runs inside a transaction of the caller. */
export class CommandBook {
  readonly #tables: BookTables;
  readonly #step: CommandStep;
  readonly #limits: CommandLimits;

  constructor(tables: BookTables, step: CommandStep, limits: CommandLimits = COMMAND_LIMITS) {
    this.#tables = tables;
    this.#step = step;
    this.#limits = limits;
  }

  /**
   * Inside the caller's transaction.
   *
   * @param offer what it is sent as, at once; null: it waits.
   *
   * Errors: E_IDEMPOTENCY_CONFLICT (same key, other request), E_COMMAND_LIMIT (too many unfinished for the device).
   */
  create(request: NewCommand, birth: CommandBirth, offer: SendOffer | null = null): CreateOutcome {
    const device = this.#tables.device(request.device) ?? this.#tables.addDevice(request.device, birth.unixMs);
    if (request.idempotencyKey !== null) {
      const first = this.#tables.commandByKey(device.key, request.idempotencyKey, 0);
      if (first !== null && ageMs(first, birth) < this.#limits.idempotencyMs)
        return { command: sameRequest(first, request), repeated: true };
    }
    const { unfinishedPerDeviceMax } = this.#limits;
    if (this.#tables.openCommandCount(device.key) >= unfinishedPerDeviceMax) {
      throw new GatewayError("E_COMMAND_LIMIT", `${request.device} has ${unfinishedPerDeviceMax} unfinished commands`);
    }
    const command = newRecord(request, birth);
    this.#tables.putCommand(device.key, command);
    if (offer === null) return { command, repeated: false };
    const sent = this.#move(command, { type: "dispatch", ...offer }, birth.unixMs);
    // A machine that refuses leaves it waiting: the dispatcher sees that in its state.
    return { command: sent === null || typeof sent === "string" ? command : sent, repeated: false };
  }

  /** Inside the caller's transaction. Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE (the machine refused). */
  apply(commandId: string, event: CommandEvent, unixMs: number): CommandRecord {
    const command = this.#tables.command(commandId);
    if (command === null) throw new GatewayError("E_COMMAND_UNKNOWN", `no command has the id ${commandId}`);
    const moved = this.#move(command, event, unixMs);
    if (typeof moved === "string") throw new GatewayError("E_COMMAND_STATE", moved);
    return moved ?? command;
  }

  /**
   * A device's own word on a command, inside the transaction of the batch that carries it.
   *
   * @returns the command in its new state, or null when nothing changed: an unknown wire id, a state that would move
   *   back, or a state this version does not know.
   */
  update(deviceKey: number, update: CommandUpdate, unixMs: number): CommandRecord | null {
    const command = this.#tables.commandByWireId(deviceKey, update.id);
    const state = DEVICE_STATES[update.state];
    if (command === null || state === undefined) return null;
    const error = update.error === "" ? null : update.error;
    const moved = this.#move(command, { type: "update", state, result: jsonOf(update.result), error }, unixMs);
    return typeof moved === "string" ? null : moved;
  }

  /** A restored store does not know what became of them: every unfinished command ends `unknown` [P-20]. */
  voidAll(why: string, unixMs: number): number {
    const open = this.#tables.openCommands();
    for (const command of open) this.#move(command, { type: "void", why }, unixMs);
    return open.length;
  }

  /** The moved command, null when the event changed nothing, or why it was refused. */
  #move(command: CommandRecord, event: CommandEvent, unixMs: number): CommandRecord | null | string {
    const result = this.#step(command, event, { unixMs });
    if (!result.ok) return result.why;
    if (!result.changed) return null;
    const device = this.#tables.device(command.device) ?? this.#tables.addDevice(command.device, unixMs);
    this.#tables.putCommand(device.key, result.record);
    if (event.type === "dispatch") {
      this.#tables.addWireId(device.key, event.wireId, command.commandId);
    }
    if (result.becameFinal) this.#tell(device.key, result.record, unixMs);
    return result.record;
  }

  #tell(deviceKey: number, command: CommandRecord, unixMs: number): void {
    const body = outcomeBytes(command);
    this.#tables.addRecord({
      deviceKey,
      epoch: 0,
      seq: 0,
      kind: RecordKind.commandOutcome,
      accuracy: Accuracy.device,
      receivedUnixMs: unixMs,
      baseUnixMs: unixMs,
      catalog: 0,
      bodyCrc: crc32(body),
      body,
    });
  }
}

const DEVICE_STATES: Readonly<Partial<Record<DeviceState, Extract<CommandEvent, { type: "update" }>["state"]>>> = {
  [DeviceState.RECEIVED]: "received",
  [DeviceState.STARTED]: "started",
  [DeviceState.SUCCEEDED]: "succeeded",
  [DeviceState.FAILED]: "failed",
  [DeviceState.EXPIRED]: "expired",
  [DeviceState.UNSUPPORTED]: "unsupported",
  [DeviceState.INTERRUPTED]: "interrupted",
};

function newRecord(request: NewCommand, birth: CommandBirth): CommandRecord {
  return {
    ...request,
    commandId: birth.commandId,
    state: "queued",
    createdUnixMs: birth.unixMs,
    deadlineMonoMs: birth.monoMs + request.ttlMs,
    bootId: birth.bootId,
    wireId: 0,
    wireEpoch: 0,
    transmissions: 0,
    updatedUnixMs: birth.unixMs,
    result: null,
    error: null,
  };
}

/** By the monotonic clock. Of another boot of the machine nobody knows how long ago it is: the key still counts. */
function ageMs(first: CommandRecord, birth: CommandBirth): number {
  return first.bootId === birth.bootId ? birth.monoMs - (first.deadlineMonoMs - first.ttlMs) : 0;
}

function sameRequest(first: CommandRecord, request: NewCommand): CommandRecord {
  const isSame = first.name === request.name && first.args === request.args && first.delivery === request.delivery;
  if (isSame) return first;
  throw new GatewayError("E_IDEMPOTENCY_CONFLICT", `the key belongs to command ${first.commandId}`);
}

function outcomeBytes(command: CommandRecord): Uint8Array {
  const body: CommandOutcomeBody = {
    commandId: command.commandId,
    name: command.name,
    state: command.state,
    result: command.result === null ? null : (JSON.parse(command.result) as unknown), // only jsonOf writes it
    error: command.error,
    source: command.source,
    responseTopic: command.responseTopic,
    correlation: command.correlation,
  };
  return new TextEncoder().encode(JSON.stringify(body));
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/** What a device answered, as JSON text: JSON stays, other text becomes a string, other bytes `{"base64":…}`. */
export function jsonOf(bytes: Uint8Array): string | null {
  if (bytes.length === 0) return null;
  let text: string;
  try {
    text = strictUtf8.decode(bytes);
  } catch {
    return JSON.stringify({ base64: Buffer.from(bytes).toString("base64") });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return JSON.stringify(text);
  }
}
