/**
 * The parts of a device, wired: outbox and its file, reporter, commands, connection. `device.ts` is the door to it.
 *
 * The outbox and its file exist from construction, so that readings are kept before `start`; connection and commands
 * from `start`, when the declarations are complete.
 */
import {
  type CommandSpec,
  CommandState,
  type CommandUpdate,
  LOG_TEXT_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  type Signal as SignalSpec,
} from "@tidegate/proto";
import { buildCatalog } from "./catalog.js";
import type { News } from "./client-state.js";
import { type Clock, SystemClock, uptimeMs } from "./clock.js";
import { type CommandEntry, type CommandJournal, CommandRunner } from "./command-runner.js";
import { Connection } from "./connection.js";
import type { DeviceEvents, DeviceState, DeviceStats } from "./device-events.js";
import type { DeviceOptions, Settings } from "./device-options.js";
import { DeviceError } from "./errors.js";
import { FlushWaiters } from "./flush-waiters.js";
import { encodeBody } from "./frame-head.js";
import type { Connect } from "./links/link.js";
import { isSerialUrl, serialConnect } from "./links/serial-link.js";
import { wsConnect } from "./links/ws-link.js";
import { Outbox } from "./outbox.js";
import { MemoryJournal, OutboxStore } from "./outbox-store.js";
import { type Random, SystemRandom } from "./random.js";
import { Reporter } from "./reporter.js";
import type { Entry } from "./seq-queue.js";

/** Where events go; a listener that throws does not disturb the device. */
export type Emit = <E extends keyof DeviceEvents>(event: E, ...args: DeviceEvents[E]) => void;

/** What `start` needs to know of the declarations. */
export interface Declarations {
  readonly signals: readonly SignalSpec[];
  readonly commandSpecs: readonly CommandSpec[];
  readonly commands: readonly CommandEntry[];
}

/** What a message takes beside a text or a result: head, tags, lengths, ids, uptime. */
const BODY_OVERHEAD_BYTES = 64;

/** What `Device` stands on; nothing of it is public. */
export class DeviceCore {
  readonly reporter: Reporter;
  readonly #options: DeviceOptions;
  readonly #settings: Settings;
  readonly #emit: Emit;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #connect: Connect;
  readonly #bootNonce: number;
  readonly #bootMonoMs: number;
  readonly #outbox: Outbox;
  readonly #waiters: FlushWaiters;
  readonly #store: OutboxStore | null;
  readonly #journal: CommandJournal;
  readonly #counts = { messagesAcked: 0, samplesAcked: 0, samplesDropped: 0 };
  #interrupted: readonly number[] = [];
  #freedSamples = 0;
  #connection: Connection | null = null;
  #runner: CommandRunner | null = null;
  #isStopped = false;

  constructor(options: DeviceOptions, settings: Settings, emit: Emit) {
    this.#options = options;
    this.#settings = settings;
    this.#emit = emit;
    this.#clock = options.clock ?? new SystemClock();
    this.#random = options.random ?? new SystemRandom();
    this.#bootNonce = this.#random.nonce();
    this.#bootMonoMs = this.#clock.monoMs();
    this.#connect = options.connect ?? connectTo(options, this.#clock);
    const { outbox, store } = this.#openOutbox();
    this.#outbox = outbox;
    this.#store = store;
    this.#journal = store ?? new MemoryJournal();
    outbox.watch({ appended: () => {}, moved: () => {}, removed: (entry, why) => this.#onRemoved(entry, why) });
    this.#waiters = new FlushWaiters(outbox, this.#clock);
    this.reporter = this.#makeReporter();
  }

  get state(): DeviceState {
    if (this.#isStopped) return "stopped";
    return this.#connection?.state.phase.name ?? "idle";
  }

  /** Longest text of a log line that fits one message, in bytes. */
  get logTextBytesMax(): number {
    return Math.min(LOG_TEXT_BYTES_MAX, this.#settings.messageBytesMax - BODY_OVERHEAD_BYTES);
  }

  get isStarted(): boolean {
    return this.#connection !== null;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  start({ signals, commandSpecs, commands }: Declarations): void {
    const catalog = buildCatalog(signals, commandSpecs, this.#settings.messageBytesMax);
    this.#runner = this.#makeRunner(commands);
    this.#connection = this.#makeConnection(this.#runner, catalog);
    for (const id of this.#interrupted) {
      this.#report({ id, state: CommandState.INTERRUPTED, result: new Uint8Array(0), error: "" });
      this.#journal.finish(id);
    }
    this.#interrupted = [];
    this.#connection.dispatch({ type: "start" });
  }

  async flush(timeoutMs: number): Promise<void> {
    this.reporter.flush();
    await this.#waiters.wait(timeoutMs);
  }

  /** Drain within `drainTimeoutMs`, say goodbye, leave nothing behind. What is unacked stays in the file, if any. */
  async stop(drainTimeoutMs: number): Promise<void> {
    if (this.#isStopped) return;
    this.reporter.flush();
    if (this.state === "online" && drainTimeoutMs > 0) {
      await this.#waitAtMost(this.#runner?.settled(), drainTimeoutMs);
      // What is not acked by then shows in the stats, and stays in the file if there is one.
      await this.#waiters.wait(drainTimeoutMs).catch(() => {});
    }
    if (this.#isStopped) return;
    this.reporter.flush(); // what came while it drained is kept in the file, and leaves no timer
    this.#isStopped = true;
    this.#runner?.stop();
    this.#connection?.dispatch({ type: "stop" });
    this.#waiters.stop();
    this.#store?.close();
  }

  get stats(): DeviceStats {
    const link = this.#connection?.stats;
    return {
      state: this.state,
      epoch: this.#outbox.marks.epoch,
      queuedMessages: this.#outbox.messages,
      queuedBytes: this.#outbox.bytes,
      inFlight: this.#outbox.marks.inFlight,
      samplesReported: this.reporter.samples,
      messagesDropped: this.#outbox.droppedMessages,
      ...this.#counts,
      messagesRepeated: link?.repeated ?? 0,
      framesSent: link?.framesSent ?? 0,
      framesReceived: link?.framesReceived ?? 0,
      framesBad: link?.framesBad ?? 0,
      bytesSent: link?.bytesSent ?? 0,
      bytesReceived: link?.bytesReceived ?? 0,
      sessions: link?.sessions ?? 0,
      linkAttempts: link?.linkAttempts ?? 0,
      commandsIgnored: this.#runner?.ignored ?? 0,
      outboxSaves: this.#store?.saves ?? 0,
    };
  }

  #openOutbox(): { outbox: Outbox; store: OutboxStore | null } {
    const { path, openOutbox, outbox: limits, saveIntervalMs } = this.#settings;
    if (path === undefined) return { outbox: new Outbox(limits), store: null };
    const { file, saved, movedTo } = openOutbox(path, this.#options.id, this.#clock.unixMs());
    if (movedTo !== null) {
      const todo = "What it held is lost to the gateway; keep the file if you want to examine it.";
      this.#tell(new DeviceError("OUTBOX_CORRUPT", `${path} is now ${movedTo}`, todo));
    }
    const outbox = new Outbox(limits, saved.outbox);
    const onError = (error: unknown): void => this.#tell(notWritten(path, error));
    const store = new OutboxStore({ file, saved }, outbox, this.#clock, { saveIntervalMs, onError });
    this.#interrupted = saved.interrupted;
    return { outbox, store };
  }

  #makeReporter(): Reporter {
    const { flushIntervalMs, maxBatchBytes } = this.#settings;
    const options = {
      flushIntervalMs,
      maxBatchBytes,
      // A saved message may be sent again by a later boot, with the same bytes: so it names its own from the start.
      bootNonce: this.#store ? this.#bootNonce : 0,
      bootMonoMs: this.#bootMonoMs,
      trustClock: this.#options.trustClock ?? false,
    };
    return new Reporter(this.#clock, this.#outbox, options, () => this.#connection?.kick());
  }

  #makeRunner(commands: readonly CommandEntry[]): CommandRunner {
    const host = {
      clock: this.#clock,
      journal: this.#journal,
      resultBytesMax: Math.min(PAYLOAD_BYTES_MAX, this.#settings.messageBytesMax - BODY_OVERHEAD_BYTES),
      uptimeMs: () => uptimeMs(this.#clock, this.#bootMonoMs),
      report: (update: CommandUpdate) => this.#report(update),
      reportRoom: () => this.#outbox.reservedRoom,
    };
    return new CommandRunner(host, commands);
  }

  #makeConnection(runner: CommandRunner, catalog: { hash: number; parts: readonly Uint8Array[] }): Connection {
    const { limits, firmware, model, sleepMs } = this.#settings;
    const host = {
      clock: this.#clock,
      random: this.#random,
      connect: this.#connect,
      outbox: this.#outbox,
      limits,
      bootMonoMs: this.#bootMonoMs,
      lastCommand: () => runner.taken,
      saveEpoch: () => this.#saveEpoch(),
      command: runner.receive.bind(runner),
      news: (news: News) => this.#onNews(news),
      acked: (seq: number, messages: number) => this.#onAcked(seq, messages),
      badFrame: (detail: string) => {
        const todo = "The link was closed. Compare the versions of gateway and SDK.";
        this.#tell(new DeviceError("BAD_FRAME", detail, todo));
      },
    };
    return new Connection(host, {
      deviceId: this.#options.id,
      bootNonce: this.#bootNonce,
      firmware,
      model,
      sleepMs,
      proof: Buffer.from(this.#options.token ?? ""),
      catalogHash: catalog.hash,
      catalogParts: catalog.parts,
    });
  }

  #report(update: CommandUpdate): boolean {
    const isKept = this.#outbox.append("command", encodeBody({ kind: "commandUpdate", commandUpdate: update }));
    if (isKept) this.#connection?.kick();
    return isKept;
  }

  #saveEpoch(): void {
    try {
      this.#store?.saveEpoch();
    } catch (error) {
      this.#tell(notWritten(this.#settings.path ?? "", error));
      throw error;
    }
  }

  #onNews(news: News): void {
    if (news.kind === "online") {
      this.#emit("online", { epoch: news.epoch, gatewayUnixMs: news.gatewayUnixMs });
    } else if (news.kind === "untrusted") {
      const todo = "Check `ca` and the address; nothing was sent. A changed CA means a new gateway, or an impostor.";
      this.#tell(new DeviceError("UNTRUSTED", news.detail, todo));
    } else {
      this.#emit(news.kind, { detail: news.detail, retryInMs: news.retryInMs });
    }
  }

  #onAcked(seq: number, messages: number): void {
    const samples = this.#freedSamples;
    this.#freedSamples = 0;
    this.#counts.messagesAcked += messages;
    this.#counts.samplesAcked += samples;
    this.#emit("acked", { epoch: this.#outbox.marks.epoch, seq, messages, samples });
  }

  #onRemoved(entry: Entry, why: "acked" | "dropped"): void {
    if (why === "acked") {
      this.#freedSamples += entry.samples;
      return;
    }
    this.#counts.samplesDropped += entry.samples;
    this.#emit("dropped", { messages: 1, samples: entry.samples });
  }

  #tell(error: DeviceError): void {
    this.#emit("error", error);
  }

  async #waitAtMost(work: Promise<void> | undefined, timeoutMs: number): Promise<void> {
    if (!work) return;
    let cancel: () => void = () => {};
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#clock.after(timeoutMs, resolve);
    });
    await Promise.race([work, timeout]);
    cancel();
  }
}

/** The kind of link that the url names. */
function connectTo(options: DeviceOptions, clock: Clock): Connect {
  return isSerialUrl(options.url) ? serialConnect({ url: options.url, clock }) : wsConnect(options);
}

function notWritten(path: string, error: unknown): DeviceError {
  const why = error instanceof Error ? error.message : String(error);
  return new DeviceError("OUTBOX_WRITE", `${path}: ${why}`, "Check space and permissions; it is tried again.", error);
}
