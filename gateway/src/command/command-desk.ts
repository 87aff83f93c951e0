/**
 * Where commands come in, from whichever side: API, CLI, dashboard, MQTT. Checks them, hands them to the dispatcher,
 * which stores them, and lets a caller wait for what becomes of them.
 */
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import {
  ARGS_BYTES_MAX,
  type CommandRecord,
  type CreateOutcome,
  IDEMPOTENCY_KEY_CHARS_MAX,
  type NewCommand,
  TTL_MS_MAX,
} from "../model/command.js";
import { isFinal } from "./command-machine.js";
import type { Dispatcher } from "./dispatcher.js";

const WAITERS_MAX = 1000;

export interface DeskOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  /** Is there a device of that id with a credential? */
  readonly deviceExists: (device: string) => boolean;
}

/** Where every source of commands comes to. */
export class CommandDesk {
  readonly #options: DeskOptions;
  readonly #waiters = new Map<string, Set<(record: CommandRecord) => void>>();
  #waiterCount = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /**
   * Accept a command: durable when this resolves.
   * Errors: E_DEVICE_UNKNOWN, E_NAME_INVALID, E_COMMAND_ARGS, E_BAD_REQUEST, and those of `CommandStore.create`.
   */
  async submit(request: NewCommand): Promise<CreateOutcome> {
    check(request);
    if (!this.#options.deviceExists(request.device)) {
      throw new GatewayError("E_DEVICE_UNKNOWN", `no device is called ${JSON.stringify(request.device)}`);
    }
    return this.#options.dispatcher.create(request);
  }

  /** Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE. */
  cancel(commandId: string): Promise<CommandRecord> {
    return this.#options.dispatcher.cancel(commandId);
  }

  /** Called for every change of every command. */
  changed(record: CommandRecord): void {
    for (const wake of [...(this.#waiters.get(record.commandId) ?? [])]) wake(record);
  }

  /**
   * Wait until a command is final or unknown. @returns its state then, or as it is after `timeoutMs`.
   * Errors: E_TOO_MANY when a thousand others wait already.
   */
  async settled(record: CommandRecord, timeoutMs: number): Promise<CommandRecord> {
    if (isFinal(record.state) || record.state === "unknown") return record;
    if (this.#waiterCount >= WAITERS_MAX) {
      throw new GatewayError("E_TOO_MANY", `${WAITERS_MAX} requests wait for commands already`);
    }
    let latest = record;
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(timeoutMs, () => done());
      const heard = (now: CommandRecord): void => {
        latest = now;
        if (isFinal(now.state) || now.state === "unknown") done();
      };
      const done = (): void => {
        cancel();
        this.#unlisten(record.commandId, heard);
        resolve();
      };
      this.#listen(record.commandId, heard);
    });
    return latest;
  }

  #listen(commandId: string, heard: (record: CommandRecord) => void): void {
    const known = this.#waiters.get(commandId) ?? new Set();
    known.add(heard);
    this.#waiters.set(commandId, known);
    this.#waiterCount += 1;
  }

  #unlisten(commandId: string, heard: (record: CommandRecord) => void): void {
    const known = this.#waiters.get(commandId);
    if (known?.delete(heard)) this.#waiterCount -= 1;
    if (known?.size === 0) this.#waiters.delete(commandId);
  }
}

function check(request: NewCommand): void {
  if (!NAME.test(request.name)) {
    throw new GatewayError("E_NAME_INVALID", `the command name ${JSON.stringify(request.name)} does not fit`);
  }
  if (Buffer.byteLength(request.args) > ARGS_BYTES_MAX || !isJson(request.args)) {
    throw new GatewayError("E_COMMAND_ARGS", "args must be JSON of at most 32 KiB");
  }
  if (!Number.isInteger(request.ttlMs) || request.ttlMs < 1 || request.ttlMs > TTL_MS_MAX) {
    throw new GatewayError("E_BAD_REQUEST", `ttlMs must be a whole number from 1 to ${TTL_MS_MAX}`);
  }
  const key = request.idempotencyKey;
  if (key !== null && (key.length === 0 || key.length > IDEMPOTENCY_KEY_CHARS_MAX)) {
    throw new GatewayError("E_BAD_REQUEST", `an idempotency key has 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters`);
  }
}

/** Command names share the pattern of ids (core/ids.ts). */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
