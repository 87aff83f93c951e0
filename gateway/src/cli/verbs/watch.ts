/**
 * `tidegate watch GLOB`: readings as they arrive, over server-sent events. After a cut it goes on where it stopped.
 *
 *   connect ─▶ hello ─▶ events … ─▶ cut ─▶ wait (full jitter) ─▶ connect with Last-Event-ID …
 */
import type { Command } from "commander";
import * as z from "zod";
import { fullJitterMs } from "../../core/backoff.js";
import { reported, UsageError } from "../cli-error.js";
import { serverEvents } from "../event-stream.js";
import { GLOB_CHARS_MAX, globMatcher } from "../glob.js";
import { inline, plain } from "../plain.js";
import { countOption, type ReadOptions, readVerb, type Shell } from "../shell.js";

/** The feed beats every 15 s; three missed beats are a dead connection. */
const IDLE_MS_MAX = 45_000;

const RETRY = { baseMs: 500, capMs: 10_000 };

const reading = z.looseObject({
  signal: z.string(),
  t: z.number(),
  v: z.unknown(),
  q: z.string(),
  unit: z.string().default(""),
});
const live = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("hello"), recovered: z.boolean() }),
  z.looseObject({
    type: z.literal("events"),
    conflated: z.boolean().default(false),
    events: z.array(z.looseObject({ id: z.number(), device: z.string(), readings: z.array(reading).default([]) })),
  }),
  z.looseObject({
    type: z.literal("latest"),
    devices: z.array(z.looseObject({ device: z.string(), readings: z.array(reading) })),
  }),
]);
type Reading = z.infer<typeof reading>;

interface WatchOptions extends ReadOptions {
  readonly count?: number;
}

/** Adds `watch` to the program. */
export function addWatch(program: Command, shell: Shell): void {
  readVerb(program, "watch", "show readings as they arrive; Ctrl-C ends it")
    .argument("[glob]", "device/signal, such as 'attic-*/temp*'", "*")
    .option("--count <readings>", "end after so many", countOption(1, 1_000_000_000))
    .action(async (glob: string, options: WatchOptions) => {
      if (glob === "")
        throw new UsageError("the pattern is empty", "leave it away to see everything, or quote it: '*'");
      if (glob.length > GLOB_CHARS_MAX)
        throw new UsageError("the pattern is too long", `use at most ${GLOB_CHARS_MAX} characters`);
      await new Watch(shell, glob, options).run();
    });
}

class Watch {
  readonly #shell: Shell;
  readonly #options: WatchOptions;
  readonly #matches: (device: string, signal: string) => boolean;
  readonly #abort = new AbortController();
  #left: number;
  #lastEventId = "";
  /** Cuts since the last message. */
  #attempt = 0;
  #wasConnected = false;

  constructor(shell: Shell, glob: string, options: WatchOptions) {
    this.#shell = shell;
    this.#options = options;
    this.#matches = globMatcher(glob);
    this.#left = options.count ?? Number.POSITIVE_INFINITY;
  }

  /** Until it is interrupted or has shown enough. Fails only when the first connection does. */
  async run(): Promise<void> {
    const forget = this.#shell.context.onInterrupt(() => this.#abort.abort());
    try {
      while (!this.#isOver) {
        await this.#connection();
        if (!this.#isOver) await this.#pause();
      }
    } finally {
      forget();
      this.#abort.abort();
    }
  }

  get #isOver(): boolean {
    return this.#left <= 0 || this.#abort.signal.aborted;
  }

  async #connection(): Promise<void> {
    try {
      const client = this.#shell.client(this.#options);
      const [store, after] = this.#lastEventId.split(":");
      const query = after === undefined ? {} : { store, after };
      const bytes = await client.stream("/api/v1/live/sse", query, IDLE_MS_MAX, this.#abort.signal);
      this.#wasConnected = true;
      for await (const event of serverEvents(bytes)) {
        this.#attempt = 0;
        if (event.id !== "") this.#lastEventId = event.id;
        this.#take(event.data);
        if (this.#isOver) return;
      }
    } catch (error) {
      if (this.#isOver) return;
      if (!this.#wasConnected) throw error;
      if (this.#attempt === 0) this.#shell.remark(`cut off: ${plain(reported(error).lines[1])}; trying again`);
    }
  }

  async #pause(): Promise<void> {
    const { clock, random } = this.#shell.context;
    const delayMs = fullJitterMs(this.#attempt++, random.unit(), RETRY);
    await new Promise<void>((resolve) => {
      const cancel = clock.after(delayMs, resolve);
      this.#abort.signal.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });
  }

  #take(data: string): void {
    const message = live.safeParse(parse(data)).data;
    if (message === undefined) return; // presence, status, beats, and what later versions add
    if (message.type === "hello") {
      if (!message.recovered && this.#lastEventId !== "" && this.#attempt > 0) this.#remarkMissed();
      return;
    }
    if (message.type === "latest") this.#remarkMissed();
    else if (message.conflated) this.#remarkMissed();
    for (const { device, readings } of message.type === "latest" ? message.devices : message.events) {
      for (const r of readings) this.#show(device, r);
    }
  }

  #remarkMissed(): void {
    this.#shell.remark("some readings were not shown: too many at once; they are stored");
  }

  #show(device: string, r: Reading): void {
    if (this.#left <= 0 || !this.#matches(device, r.signal)) return;
    this.#left -= 1;
    const { context, paint } = this.#shell;
    if (this.#options.json === true) {
      context.stdout.write(`${JSON.stringify({ device, ...r })}\n`);
      return;
    }
    const at = Math.abs(r.t) <= 8.64e15 ? new Date(r.t).toISOString().slice(11, 23) : "";
    const quality = r.q === "good" ? "" : `  ${paint.warn(plain(r.q))}`;
    const value = `${inline(r.v)}${r.unit === "" ? "" : ` ${plain(r.unit)}`}`;
    context.stdout.write(`${paint.dim(at)}  ${plain(device)}/${plain(r.signal)}  ${paint.bold(value)}${quality}\n`);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
