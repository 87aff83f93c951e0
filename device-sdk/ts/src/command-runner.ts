/**
 * Commands on the device: each is taken once, checked, run in order, and answered through the outbox.
 *
 *   receive ─▶ duplicate (silent) · unsupported · busy
 *        └──▶ RECEIVED ─▶ waits its turn ─▶ EXPIRED
 *                                     └──▶ STARTED ─▶ SUCCEEDED | FAILED
 *
 *   at most once:  recorded ──▶ run ──▶ result          the record is on disk before anything moves
 *   at least once:             run ──▶ record + result  so a power cut in between runs it again
 *
 * [P-13] [P-16] [P-17] [P-19]. One handler runs at a time: a pump must not be switched on and off at once.
 */
import { type Command, CommandState, type CommandUpdate, DETAIL_BYTES_MAX } from "@tidegate/proto";
import { type Clock, isPast } from "./clock.js";
import { clipUtf8 } from "./text.js";

/** What a handler learns beside its arguments. */
export interface CommandContext {
  readonly id: number;
  readonly name: string;
  /** Aborted when the device stops or the handler's time is over. */
  readonly signal: AbortSignal;
}

/** Acts, and gives the result: anything JSON can say, or nothing. Throwing means FAILED with the error's message. */
export type CommandHandler = (args: unknown, context: CommandContext) => unknown;

/** A command that the application declared, and what runs it. */
export interface CommandEntry {
  readonly code: number;
  readonly name: string;
  readonly atMostOnce: boolean;
  /** Bound on one run, in ms; after it the answer is FAILED and the next command has its turn. */
  readonly timeoutMs: number;
  readonly handler: CommandHandler;
}

/** Where it is written which commands were taken. In memory without persistence. */
export interface CommandJournal {
  /** Highest command id recorded; 0: none. */
  readonly lastCommand: number;
  /** Put an id on disk before acting on it. Throws when that fails: then nothing may be done. */
  record(id: number): void;
  /** The final answer is in the outbox: record the id if it was not, and put both on disk. */
  finish(id: number): void;
}

/** What the runner needs of its device. The journal's writes are durable when they return. */
export interface CommandHost {
  readonly clock: Clock;
  readonly journal: CommandJournal;
  /** Longest result that fits a message of this device's link, in bytes. */
  readonly resultBytesMax: number;
  /** The device's own uptime, as it travels. */
  uptimeMs(): number;
  /** Put an update into the outbox; false when its reserved room is full. */
  report(update: CommandUpdate): boolean;
  /** How many more updates fit. */
  reportRoom(): number;
}

/** Most commands that wait while one runs. The gateway has few in flight; this bounds a wrong one. */
export const COMMANDS_WAITING_MAX = 16;

/** Updates one command makes at most: received, started, and how it ended. */
const UPDATES_PER_COMMAND = 3;

const NOTHING = new Uint8Array(0);

/** What to do with a command that arrived [P-17]. Pure. */
export function admit(
  id: number,
  marks: { readonly taken: number; readonly waiting: number; readonly room: number },
): "take" | "duplicate" | "busy" | "ignore" {
  if (id === 0 || id <= marks.taken) return "duplicate";
  if (marks.room < 1) return "ignore";
  const roomNeeded = (marks.waiting + 2) * UPDATES_PER_COMMAND;
  return marks.waiting >= COMMANDS_WAITING_MAX || marks.room < roomNeeded ? "busy" : "take";
}

/** The commands of one device; made by the device, fed by its connection. */
export class CommandRunner {
  readonly #host: CommandHost;
  readonly #entries: readonly CommandEntry[];
  readonly #waiting: { command: Command; entry: CommandEntry }[] = [];
  #running: Promise<void> | null = null;
  #abort = new AbortController();
  #taken: number;
  /** Commands for which there was neither room nor an answer; the gateway will offer them again. */
  ignored = 0;

  constructor(host: CommandHost, entries: readonly CommandEntry[]) {
    this.#host = host;
    this.#entries = entries;
    this.#taken = host.journal.lastCommand;
  }

  /** Highest command id taken: what Hello says, so that the gateway does not offer it again [P-18]. */
  get taken(): number {
    return this.#taken;
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Take a command from the wire; a repeated one is dropped silently [P-17]. */
  receive(command: Command): void {
    const waiting = this.#waiting.length;
    const verdict = admit(command.id, { taken: this.#taken, waiting, room: this.#host.reportRoom() });
    if (verdict === "duplicate") return;
    if (verdict === "ignore") {
      this.ignored++;
      return;
    }
    this.#taken = command.id;
    const entry = this.#find(command);
    if (!entry) {
      this.#end(command.id, CommandState.UNSUPPORTED, "no handler is declared for this command");
    } else if (verdict === "busy") {
      this.#end(command.id, CommandState.FAILED, `busy: ${waiting} commands wait already`);
    } else {
      this.#say(command.id, CommandState.RECEIVED);
      this.#waiting.push({ command, entry });
      this.#running ??= this.#drain();
    }
  }

  /** Start nothing any more and tell the running handler. What was not started stays unanswered. */
  stop(): void {
    this.#waiting.length = 0;
    this.#abort.abort();
    this.#abort = new AbortController();
  }

  #find(command: Command): CommandEntry | undefined {
    if (command.code !== 0) return this.#entries.find((entry) => entry.code === command.code);
    return this.#entries.find((entry) => entry.name === command.name);
  }

  async #drain(): Promise<void> {
    // The update RECEIVED leaves first; handlers run after the caller's own work is done.
    await Promise.resolve();
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      await this.#run(next.command, next.entry);
    }
    this.#running = null;
  }

  async #run(command: Command, entry: CommandEntry): Promise<void> {
    const { id } = command;
    const ready = this.#prepare(command, entry);
    if (!ready.ok) {
      this.#end(id, ready.state, ready.error);
      return;
    }
    this.#say(id, CommandState.STARTED);
    const { signal } = this.#abort;
    try {
      const result = await this.#bounded(entry, ready.args, { id, name: entry.name, signal });
      this.#succeed(id, result);
    } catch (error) {
      // A device that is going down does not know how it ended; a persistent one says INTERRUPTED at its next start.
      if (!signal.aborted) this.#end(id, CommandState.FAILED, messageOf(error));
    }
  }

  /** Everything that is checked when its turn has come, and the record where one is due [P-16] [P-17]. */
  #prepare(command: Command, entry: CommandEntry): Ready {
    const { id, deadlineUptimeMs } = command;
    if (isPast(deadlineUptimeMs, this.#host.uptimeMs())) {
      return { ok: false, state: CommandState.EXPIRED, error: "the deadline had passed when its turn came" };
    }
    const args = parseArgs(command.args);
    if (!args.ok || !(command.atMostOnce || entry.atMostOnce)) return args;
    try {
      this.#host.journal.record(id);
      return args;
    } catch (error) {
      const why = `not run, because it could not be recorded: ${messageOf(error)}`;
      return { ok: false, state: CommandState.FAILED, error: why };
    }
  }

  /** Run the handler, but wait no longer than its time or the device's stop. */
  async #bounded(entry: CommandEntry, args: unknown, context: CommandContext): Promise<unknown> {
    const own = new AbortController();
    let giveUp: (error: Error) => void = () => {};
    const ended = new Promise<never>((_, reject) => {
      giveUp = reject;
    });
    const end = (why: string): void => {
      own.abort();
      giveUp(new Error(why));
    };
    const onStop = (): void => end("the device stopped");
    const cancel = this.#host.clock.after(entry.timeoutMs, () =>
      end(`no result within ${entry.timeoutMs} ms; it may still be running`),
    );
    context.signal.addEventListener("abort", onStop, { once: true });
    try {
      const work = Promise.resolve().then(() => entry.handler(args, { ...context, signal: own.signal }));
      return await Promise.race([work, ended]);
    } finally {
      cancel();
      context.signal.removeEventListener("abort", onStop);
    }
  }

  #succeed(id: number, value: unknown): void {
    const result = value === undefined ? NOTHING : Buffer.from(JSON.stringify(value) ?? "null");
    const { resultBytesMax } = this.#host;
    if (result.length > resultBytesMax) {
      const error = `it succeeded, but its result of ${result.length} bytes is over the limit of ${resultBytesMax}`;
      this.#end(id, CommandState.SUCCEEDED, error);
    } else if (this.#host.report({ id, state: CommandState.SUCCEEDED, result, error: "" })) {
      this.#host.journal.finish(id);
    } else {
      this.#end(id, CommandState.SUCCEEDED, "it succeeded, but the outbox had no room for its result");
    }
  }

  #end(id: number, state: CommandState, error: string): void {
    this.#host.report({ id, state, result: NOTHING, error: clipUtf8(error, DETAIL_BYTES_MAX) });
    this.#host.journal.finish(id);
  }

  #say(id: number, state: CommandState): void {
    this.#host.report({ id, state, result: NOTHING, error: "" });
  }
}

type Ready =
  | { readonly ok: true; readonly args: unknown }
  | { readonly ok: false; readonly state: CommandState; readonly error: string };

function parseArgs(bytes: Uint8Array): Ready {
  if (bytes.length === 0) return { ok: true, args: {} };
  try {
    return { ok: true, args: JSON.parse(Buffer.from(bytes).toString("utf8")) };
  } catch {
    return { ok: false, state: CommandState.FAILED, error: "the arguments are not JSON" };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
