/** What an application declares before `start`: signals and commands, checked, numbered in order from 1. */
import {
  COMMANDS_PER_CATALOG_MAX,
  type CommandSpec,
  DETAIL_BYTES_MAX,
  isName,
  OPTIONS_PER_SIGNAL_MAX,
  SIGNALS_PER_CATALOG_MAX,
  type Signal as SignalSpec,
} from "@tidegate/proto";
import type { CommandEntry, CommandHandler } from "./command-runner.js";
import { label, whole } from "./device-options.js";
import { DeviceError } from "./errors.js";
import { type SignalCodec, type SignalOptions, signalCodec, signalSpec, typeOf } from "./signal.js";
import { utf8Bytes } from "./text.js";

/** How a command is declared. */
export interface CommandOptions {
  /**
   * true: running it twice does no harm, so it is run at least once (again after a power cut in the middle).
   * false: it is run at most once; its id is recorded before it acts.
   */
  readonly idempotent: boolean;
  /** What the arguments look like, for people: `{ "on": true }`. */
  readonly argsHint?: string;
  /** Bound on one run, in ms. Default 5 minutes. */
  readonly timeoutMs?: number;
}

const COMMAND_TIMEOUT_MS = 300_000;
const TIME_MS_MAX = 0xffff_ffff;
const SCALE_MAX = 18;

/** Signals and commands in the order of their declaration, which gives them their numbers. */
export class DeclarationList {
  readonly signals: SignalSpec[] = [];
  readonly commandSpecs: CommandSpec[] = [];
  readonly commands: CommandEntry[] = [];

  /** @throws DeviceError BAD_OPTION */
  addSignal(key: string, options: SignalOptions): SignalCodec {
    checkName(
      "signal",
      key,
      this.signals.map((signal) => signal.key),
    );
    checkCount("signals", this.signals.length, SIGNALS_PER_CATALOG_MAX);
    checkSignal(key, options);
    const id = this.signals.length + 1;
    this.signals.push(signalSpec(id, key, options));
    return signalCodec(id, key, options);
  }

  /** @throws DeviceError BAD_OPTION */
  addCommand(name: string, options: CommandOptions, handler: CommandHandler): void {
    checkName(
      "command",
      name,
      this.commands.map((command) => command.name),
    );
    checkCount("commands", this.commands.length, COMMANDS_PER_CATALOG_MAX);
    const { idempotent, argsHint = "", timeoutMs = COMMAND_TIMEOUT_MS } = options;
    if (typeof idempotent !== "boolean") {
      const todo = "Say true if running it twice does no harm, false if it must run at most once.";
      throw new DeviceError("BAD_OPTION", `command "${name}" does not say whether it is idempotent`, todo);
    }
    if (utf8Bytes(argsHint) > DETAIL_BYTES_MAX) {
      throw new DeviceError(
        "BAD_OPTION",
        `argsHint of "${name}" is too long`,
        `Use at most ${DETAIL_BYTES_MAX} bytes.`,
      );
    }
    whole(`timeoutMs of "${name}"`, timeoutMs, 1, TIME_MS_MAX);
    const code = this.commands.length + 1;
    this.commandSpecs.push({ code, name, atMostOnce: !idempotent, argsHint });
    this.commands.push({ code, name, atMostOnce: !idempotent, timeoutMs, handler });
  }
}

function checkName(what: string, name: string, taken: readonly string[]): void {
  if (!isName(name)) {
    const todo = "Use letters, digits, - and _, at most 63, beginning with a letter or digit.";
    throw new DeviceError("BAD_OPTION", `${JSON.stringify(name)} is no name for a ${what}`, todo);
  }
  if (taken.includes(name)) {
    throw new DeviceError("BAD_OPTION", `${what} "${name}" is declared twice`, "Give each a name of its own.");
  }
}

function checkCount(what: string, count: number, max: number): void {
  if (count < max) return;
  throw new DeviceError("BAD_OPTION", `more than ${max} ${what}`, "Split the device in two, or report less.");
}

function checkSignal(key: string, options: SignalOptions): void {
  const { name = "", unit = "", deviceClass = "", scale, intervalMs = 0, options: values = [] } = options;
  for (const [what, text] of Object.entries({ name, unit, deviceClass })) label(`${what} of "${key}"`, text);
  for (const value of values) label(`an option of "${key}"`, value);
  whole(`intervalMs of "${key}"`, intervalMs, 0, TIME_MS_MAX);
  if (scale !== undefined) {
    whole(`scale of "${key}"`, scale, -SCALE_MAX, SCALE_MAX);
    if (typeOf(options) !== "int") {
      throw new DeviceError("BAD_OPTION", `"${key}" has a scale but is no "int"`, 'Leave type out, or say "int".');
    }
  }
  const isEnum = typeOf(options) === "enum";
  if (
    isEnum !== values.length > 0 ||
    new Set(values).size !== values.length ||
    values.length > OPTIONS_PER_SIGNAL_MAX
  ) {
    const todo = `An enum has 1 to ${OPTIONS_PER_SIGNAL_MAX} different options, other types have none.`;
    throw new DeviceError("BAD_OPTION", `the options of "${key}" do not fit its type`, todo);
  }
}
