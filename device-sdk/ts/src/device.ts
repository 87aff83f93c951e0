/**
 * A device: declare signals and commands, report, start. This is what an application holds.
 *
 *   signal.report ─▶ reporter ─▶ outbox ─▶ connection ─▶ link ─▶ gateway
 *                                  │ store (file)            │
 *   command handler ◀──────── command runner ◀───────────────┘
 *
 * Nothing blocks, nothing throws because the gateway is away: readings wait in the outbox, bounded, and what has to go
 * goes visibly. After `stop` no timer and no socket is left.
 */
import type { CommandContext, CommandHandler } from "./command-runner.js";
import { type CommandOptions, DeclarationList } from "./declarations.js";
import { DeviceCore } from "./device-core.js";
import type { DeviceEvents, DeviceState, DeviceStats } from "./device-events.js";
import { checkOptions, type DeviceOptions } from "./device-options.js";
import { DeviceError, valueError } from "./errors.js";
import { EventSource } from "./event-source.js";
import { QUALITIES, type Quality, type SignalOptions, type SignalType, type ValueTypes } from "./signal.js";
import { clipUtf8 } from "./text.js";

/** Severities of RFC 5424 by name. */
export type LogLevel = "emergency" | "alert" | "critical" | "error" | "warning" | "notice" | "info" | "debug";

const LOG_LEVELS: readonly LogLevel[] = [
  "emergency",
  "alert",
  "critical",
  "error",
  "warning",
  "notice",
  "info",
  "debug",
];

/** A declared signal. */
export interface Signal<V> {
  readonly key: string;
  /**
   * Take one reading. Returns at once; the reading travels with the next batch.
   *
   * @param value what the declared type allows
   * @param reading `at`: when it was measured, a Date or Unix ms; now when absent. `quality`: "good" when absent
   * @throws TypeError when the value does not fit; DeviceError STOPPED after `stop`
   */
  report(value: V, reading?: { readonly at?: Date | number; readonly quality?: Quality }): void;
}

/** The values of an enum are its options; other types have the value of their name. */
type ValueOf<T extends SignalType, O extends string> = T extends "enum" ? O : ValueTypes[T];

/** How long `stop` waits for handlers and for acks, each, in ms. */
const DRAIN_TIMEOUT_MS = 5_000;
const FLUSH_TIMEOUT_MS = 30_000;

/** One device and its conversation with one gateway. `start` connects and stays connected until `stop`. */
export class Device {
  readonly id: string;
  readonly #core: DeviceCore;
  readonly #declared = new DeclarationList();
  readonly #events = new EventSource<DeviceEvents>();
  /** Errors that happened before anybody could listen; told at `start`. */
  #early: DeviceError[] | null = [];

  /**
   * Checks the options and opens the outbox; nothing is sent before `start`. Uptime counts from here.
   *
   * @throws DeviceError BAD_OPTION, OUTBOX_IN_USE, OUTBOX_FOREIGN, OUTBOX_WRITE
   */
  constructor(options: DeviceOptions) {
    const settings = checkOptions(options);
    this.id = options.id;
    this.#core = new DeviceCore(options, settings, (event, ...args) => this.#emit(event, ...args));
  }

  /** Where the session stands. */
  get state(): DeviceState {
    return this.#core.state;
  }

  /** Counters and levels of this moment. */
  stats(): DeviceStats {
    return this.#core.stats;
  }

  /**
   * Declare a signal, before `start`. Ids follow the order of declaration, so keep the order between versions.
   *
   * @param key name in topics and APIs: letters, digits, - and _
   * @throws DeviceError BAD_OPTION, DECLARED_LATE
   */
  signal<T extends SignalType = "float", const O extends string = string>(
    key: string,
    options: SignalOptions<T, O> = {},
  ): Signal<ValueOf<T, O>> {
    this.#checkEarly(`signal "${key}"`);
    const codec = this.#declared.addSignal(key, options);
    return {
      key,
      report: (value, { at, quality = "good" } = {}) => {
        this.#checkRunning();
        const code: number | undefined = QUALITIES[quality];
        if (code === undefined) throw badReading(key, `quality ${String(quality)}`, "Use good, uncertain or bad.");
        this.#core.reporter.report(codec, value, code, at === undefined ? null : unixMsOf(key, at));
      },
    };
  }

  /**
   * Declare a command, before `start`.
   *
   * @param handler gets the arguments (parsed JSON, `{}` when there are none) and runs alone, one command after the
   *   other; what it returns is the result, as JSON; what it throws makes the command FAILED. The type of the arguments
   *   is the application's word for them: check what matters, they come from outside.
   * @throws DeviceError BAD_OPTION, DECLARED_LATE
   */
  command<A = Record<string, unknown>>(
    name: string,
    options: CommandOptions,
    handler: (args: A, context: CommandContext) => unknown,
  ): void {
    this.#checkEarly(`command "${name}"`);
    this.#declared.addCommand(name, options, handler as CommandHandler); // A is the application's claim, see above
  }

  /** Send a line of text from the firmware; cut at 4096 bytes, on a serial line at 960. Kept like a reading. */
  log(level: LogLevel, text: string): void {
    this.#checkRunning();
    const code = LOG_LEVELS.indexOf(level);
    if (code < 0) throw valueError("nothing was logged", `level ${String(level)}`, `Use ${LOG_LEVELS.join(", ")}.`);
    this.#core.reporter.log(code, clipUtf8(String(text), this.#core.logTextBytesMax));
  }

  /** Connect, and stay connected until `stop`. Returns at once. @throws DeviceError STOPPED */
  start(): void {
    this.#checkRunning();
    if (this.#core.isStarted) return;
    const early = this.#early ?? [];
    this.#early = null;
    for (const error of early) this.#emit("error", error);
    this.#core.start(this.#declared);
  }

  /**
   * Resolves when everything reported so far is on disk at the gateway.
   *
   * @throws DeviceError FLUSH_TIMEOUT, FLUSH_INCOMPLETE, STOPPED
   */
  async flush(timeoutMs: number = FLUSH_TIMEOUT_MS): Promise<void> {
    this.#checkRunning();
    await this.#core.flush(timeoutMs);
  }

  /**
   * End in order: wait for running commands and for acks (at most `drainTimeoutMs` each, and only while online), say
   * goodbye, close the link and the outbox. A stopped device does not start again.
   */
  async stop(drainTimeoutMs: number = DRAIN_TIMEOUT_MS): Promise<void> {
    await this.#core.stop(drainTimeoutMs);
  }

  /** Call `listener` at every `event`. */
  on<E extends keyof DeviceEvents>(event: E, listener: (...args: DeviceEvents[E]) => void): this {
    this.#events.on(event, listener);
    return this;
  }

  /** Call `listener` no more. */
  off<E extends keyof DeviceEvents>(event: E, listener: (...args: DeviceEvents[E]) => void): this {
    this.#events.off(event, listener);
    return this;
  }

  #emit<E extends keyof DeviceEvents>(event: E, ...args: DeviceEvents[E]): void {
    const [first] = args;
    if (this.#early && first instanceof DeviceError) this.#early.push(first);
    else this.#events.emit(event, ...args);
  }

  #checkEarly(what: string): void {
    this.#checkRunning();
    if (this.#core.isStarted) throw new DeviceError("DECLARED_LATE", what, "Declare it before start().");
  }

  #checkRunning(): void {
    if (this.#core.isStopped) throw new DeviceError("STOPPED", this.id, "Make a new Device.");
  }
}

function unixMsOf(key: string, at: Date | number): number {
  const unixMs = Math.floor(at instanceof Date ? at.getTime() : at);
  if (Number.isSafeInteger(unixMs) && unixMs >= 0) return unixMs;
  throw badReading(key, `its time ${String(at)} is no instant since 1970`, "Give a Date or Unix milliseconds.");
}

function badReading(key: string, why: string, todo: string): TypeError {
  return valueError(`signal "${key}" was not reported`, why, todo);
}
