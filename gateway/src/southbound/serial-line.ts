/**
 * One configured serial line: opened, kept open, and turned into whole messages. It knows nothing of sessions.
 *
 *            start            opened                     gone, cannot be read
 *   stopped ───────▶ opening ────────▶ open ──────────────────────────────┐
 *                       ▲  └── failed ──▶ waiting (full jitter) ◀──────────┘
 *                       └──────────────────┘
 *
 *   bytes ─▶ COBS, CRC ─▶ message ─▶ listener        noise, boot chatter, wrong CRC ─▶ counted [P-38]
 *
 * A line loses bytes by nature, so does this: a frame for which the bounded queue has no room is dropped and counted;
 * the protocol's own repetitions carry over it [P-11].
 */
import { encodeStreamFrame, SERIAL_MESSAGE_BYTES_MAX, StreamDecoder } from "@tidegate/proto";
import { fullJitterMs } from "../core/backoff.js";
import type { Clock } from "../core/clock.js";
import type { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Counter, Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { TokenBucket } from "../core/token-bucket.js";
import { type ChatterLine, SerialChatter } from "./serial-chatter.js";
import { type ListSerial, type OpenSerial, portBySerialNumber, type SerialChannel } from "./serial-open.js";
import { serialProblem } from "./serial-problem.js";

export interface SerialLineOptions {
  /** Device file, preferably below /dev/serial/by-id, or `unix:` and the path of a socket. */
  readonly path: string;
  /** Bits per second; a socket has none. */
  readonly baud: number;
  /** Sustained messages per second, and how many may come at once; above it the line is not read for a while. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
}

export interface SerialWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: SerialCounters;
  readonly open: OpenSerial;
  readonly list: ListSerial;
}

/** Who hears of the line. */
export interface SerialLineListener {
  /** One message with a right CRC; the receiver's own bytes. */
  message(bytes: Uint8Array): void;
  /** The line is gone; it comes back by itself. */
  lost(): void;
}

/** How a line is doing, for people. */
export interface SerialLineStatus {
  readonly path: string;
  readonly state: "stopped" | "opening" | "open" | "waiting";
  /** Why it is not open; null when it is, and before the first try. */
  readonly problem: GatewayError | null;
  readonly messageCount: number;
  /** Stretches that were no message: boot chatter, log lines, wrong CRCs, overlong frames. */
  readonly noiseCount: number;
  /** Of those: frames of right form whose CRC did not match. */
  readonly crcErrorCount: number;
  /** Times the line was opened. */
  readonly openCount: number;
  /** The newest lines of text that the board printed between its frames, oldest first. */
  readonly chatter: readonly ChatterLine[];
  /** Frames that found no room in the queue. */
  readonly droppedCount: number;
}

export interface SerialCounters {
  readonly opened: Counter;
  readonly messages: Counter;
  readonly noise: Counter;
  readonly dropped: Counter;
  readonly noisyPeers: Counter;
}

/** The counters of all lines together, made at first use. */
export function serialCounters(metrics: Metrics): SerialCounters {
  return {
    opened: metrics.counter("serial_opened", "Times a serial line was opened"),
    messages: metrics.counter("serial_messages", "Messages received on serial lines"),
    noise: metrics.counter("serial_noise", "Stretches on serial lines that were no message, or had a wrong CRC"),
    dropped: metrics.counter("serial_frames_dropped", "Frames to serial lines dropped because the queue was full"),
    noisyPeers: metrics.counter("noisy_peers", "Times a device was paused because it sent more than its share"),
  };
}

/** Somebody stands there with the cable in hand: look often enough, even for a device that is away for a week. */
const REATTACH = { baseMs: 250, capMs: 5_000 };
/** A line that stayed open for so long is a good one: the next loss is tried again at once. */
const STABLE_MS = 10_000;
/** Bytes that may wait for the wire: 1.4 s at 115200 baud, a full window of acks and a command. */
const QUEUE_BYTES_MAX = 16_384;
/** How long a stop waits for the last bytes; a line that nobody reads must not hold it up. */
const FLUSH_MS_MAX = 500;
const FLUSH_POLL_MS = 10;
/** The border that ends whatever stood on the line before us [P-38]. */
const BORDER = new Uint8Array([0]);

/** One line. Nothing happens before `start`; after `stop` nothing is open and no timer runs. */
export class SerialLine {
  readonly path: string;
  readonly #options: SerialLineOptions;
  readonly #world: SerialWorld;
  readonly #listener: SerialLineListener;
  readonly #decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  readonly #bucket: TokenBucket;
  #state: SerialLineStatus["state"] = "stopped";
  #problem: GatewayError | null = null;
  #channel: SerialChannel | null = null;
  #openedMonoMs = 0;
  /** Failures since the last stable time. */
  #attempt = 0;
  #cancelWait = (): void => {};
  #droppedCount = 0;
  #openCount = 0;
  readonly #chatter = new SerialChatter();
  #held = false;
  #cancelRest: (() => void) | null = null;

  constructor(options: SerialLineOptions, world: SerialWorld, listener: SerialLineListener) {
    this.path = options.path;
    this.#options = options;
    this.#world = world;
    this.#listener = listener;
    this.#bucket = new TokenBucket(options.messagesPerSecond, options.messageBurst, world.clock.monoMs());
  }

  /** Open the line, and keep it open. Never fails: `status` says what is wrong. */
  start(): void {
    if (this.#state === "stopped") void this.#attach();
  }

  /** Let the last bytes out, at most for half a second, and give the line back. */
  async stop(): Promise<void> {
    const { clock } = this.#world;
    const untilMs = clock.monoMs() + FLUSH_MS_MAX;
    while ((this.#channel?.stream.writableLength ?? 0) > 0 && clock.monoMs() < untilMs) {
      await new Promise<void>((resolve) => void clock.after(FLUSH_POLL_MS, resolve));
    }
    this.#state = "stopped";
    this.#cancelWait();
    this.#leave()?.close();
  }

  /** Frame one message and hand it to the line. @returns false when the line is closed or its queue is full. */
  send(message: Uint8Array): boolean {
    const stream = this.#channel?.stream;
    if (stream === undefined) return false;
    if (message.length > SERIAL_MESSAGE_BYTES_MAX || stream.writableLength > QUEUE_BYTES_MAX) {
      this.#droppedCount += 1;
      this.#world.counters.dropped.value += 1;
      return false;
    }
    stream.write(encodeStreamFrame(message));
    return true;
  }

  /** Stop reading (true) or go on. What the line cannot hold meanwhile is lost and sent again by the device. */
  hold(on: boolean): void {
    this.#held = on;
    this.#flow();
  }

  get status(): SerialLineStatus {
    return {
      path: this.path,
      state: this.#state,
      problem: this.#problem,
      messageCount: this.#decoder.stats.frames,
      noiseCount: this.#noiseCount,
      crcErrorCount: this.#decoder.stats.crcErrors,
      openCount: this.#openCount,
      chatter: this.#chatter.lines,
      droppedCount: this.#droppedCount,
    };
  }

  get #noiseCount(): number {
    const { crcErrors, oversized, noise } = this.#decoder.stats;
    return crcErrors + oversized + noise;
  }

  async #attach(): Promise<void> {
    const { open } = this.#world;
    this.#state = "opening";
    try {
      const channel = await this.#openSomewhere((path) => open(path, this.#options.baud));
      if (this.#isStopped) channel.close();
      else this.#adopt(channel);
    } catch (thrown) {
      if (!this.#isStopped) this.#failed(serialProblem(this.path, thrown));
    }
  }

  /** A getter of its own, because the state may have changed during an await. */
  get #isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** By its path; a by-id path that is absent by the USB serial number in it. */
  async #openSomewhere(open: (path: string) => Promise<SerialChannel>): Promise<SerialChannel> {
    try {
      return await open(this.path);
    } catch (thrown) {
      if (serialProblem(this.path, thrown).code !== "E_SERIAL_MISSING") throw thrown;
      const elsewhere = portBySerialNumber(this.path, await this.#world.list().catch(() => []));
      if (elsewhere === null) throw thrown;
      return await open(elsewhere);
    }
  }

  #adopt(channel: SerialChannel): void {
    const { clock, counters, log } = this.#world;
    this.#channel = channel;
    this.#state = "open";
    this.#problem = null;
    this.#openedMonoMs = clock.monoMs();
    this.#decoder.reset();
    counters.opened.value += 1;
    this.#openCount += 1;
    log.info({ line: this.path, baud: this.#options.baud }, "serial line open");
    const { stream } = channel;
    stream.on("data", (chunk: Uint8Array) => this.#received(channel, chunk));
    // The close follows; without a listener the error would end the process.
    stream.on("error", () => {});
    stream.on("close", () => this.#gone(channel));
    stream.write(BORDER);
    this.#flow();
  }

  #received(channel: SerialChannel, chunk: Uint8Array): void {
    if (this.#channel !== channel) return;
    const { counters } = this.#world;
    const messages: Uint8Array[] = [];
    for (let from = 0; from < chunk.length; ) {
      const zero = chunk.indexOf(0, from);
      const end = zero < 0 ? chunk.length : zero + 1;
      messages.push(...this.#stretch(chunk.subarray(from, end), zero >= 0));
      from = end;
    }
    for (const message of messages) {
      counters.messages.value += 1;
      this.#meter();
      this.#listener.message(message);
    }
  }

  /** Bytes up to and with a zero, or up to the end of a chunk: the decoder tells whether they were a frame. */
  #stretch(bytes: Uint8Array, hasEnd: boolean): Uint8Array[] {
    const { clock, counters } = this.#world;
    const noiseBefore = this.#noiseCount;
    const messages = this.#decoder.push(bytes);
    const noiseMore = this.#noiseCount - noiseBefore;
    counters.noise.value += noiseMore;
    this.#chatter.push(hasEnd ? bytes.subarray(0, -1) : bytes);
    if (hasEnd) this.#chatter.end(noiseMore > 0, clock.unixMs());
    return messages;
  }

  #gone(channel: SerialChannel): void {
    if (this.#channel !== channel) return;
    this.#leave();
    const { clock } = this.#world;
    if (clock.monoMs() - this.#openedMonoMs >= STABLE_MS) this.#attempt = 0;
    this.#failed(serialProblem(this.path, "ENODEV: the line was closed from the other side"));
  }

  #leave(): SerialChannel | null {
    const channel = this.#channel;
    this.#channel = null;
    this.#cancelRest?.();
    this.#cancelRest = null;
    if (channel !== null) this.#listener.lost();
    return channel;
  }

  /** Tell a problem once, not at every try. */
  #failed(problem: GatewayError): void {
    const { clock, log, random } = this.#world;
    if (this.#problem?.code !== problem.code) {
      log.warn(
        { line: this.path, code: problem.code, why: problem.why, fix: problem.fix },
        "serial line not open; trying again",
      );
    }
    this.#problem = problem;
    this.#state = "waiting";
    const waitMs = fullJitterMs(this.#attempt, random.unit(), REATTACH);
    this.#attempt += 1;
    this.#cancelWait = clock.after(waitMs, () => void this.#attach());
  }

  #meter(): void {
    const { clock, counters } = this.#world;
    const waitMs = this.#bucket.take(clock.monoMs());
    if (waitMs === 0 || this.#cancelRest !== null) return;
    counters.noisyPeers.value += 1;
    this.#cancelRest = clock.after(waitMs, () => {
      this.#cancelRest = null;
      this.#flow();
    });
    this.#flow();
  }

  #flow(): void {
    const stream = this.#channel?.stream;
    if (stream === undefined) return;
    if (this.#held || this.#cancelRest !== null) stream.pause();
    else stream.resume();
  }
}
