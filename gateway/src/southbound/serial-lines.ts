/**
 * All configured serial lines: each a line, and a slot for the session on it.
 *
 *   serial-open ─▶ serial-line ─▶ serial-slot ─▶ session
 *   serial-pattern: a path with a `*` is as many lines as fit it at the moment
 */
import { join } from "node:path";
import { type Hello, SERIAL_MESSAGE_BYTES_MAX } from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { type SerialCounters, SerialLine, type SerialLineStatus, serialCounters } from "./serial-line.js";
import {
  type ListSerial,
  listSerial,
  type OpenSerial,
  openSerial,
  type SerialPortFacts,
  UNIX_PREFIX,
} from "./serial-open.js";
import { isSerialPattern, type ListFolder, listFolder, SerialPattern } from "./serial-pattern.js";
import { type SerialLink, type SerialSession, SerialSlot, type SlotCounters, slotCounters } from "./serial-slot.js";

/** One line of the configuration. */
export interface SerialLineConfig {
  /** With a `*` in its last part: every line that fits, as they come and go. */
  readonly path: string;
  readonly baud: number;
  /** Devices are taken by their id alone: the wire is the proof. */
  readonly trusted: boolean;
}

/**
 * Where emulated boards plug themselves in: sockets in a folder below the data folder, which only the gateway's own
 * user may write. They prove who they are as any board does. `tidegate sim --board` puts them there.
 */
export function boardsPlug(dataDir: string): SerialLineConfig {
  return { path: `${UNIX_PREFIX}${join(dataDir, "boards", "*.sock")}`, baud: 115_200, trusted: false };
}

export interface SerialLinesOptions {
  readonly lines: readonly SerialLineConfig[];
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
}

export interface SerialLinesHost {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Opens lines; serialport and sockets unless told. */
  readonly openPort?: OpenSerial;
  readonly listPorts?: ListSerial;
  readonly listFolder?: ListFolder;
  /** The device whose token this is, or null. */
  checkProof(proof: Uint8Array): string | null;
  /** Is there such a device, and is it not revoked? */
  isKnown(device: string): boolean;
  open(link: SerialLink): SerialSession;
}

/** How long a device may take to say that it has a command. */
const ANSWER_MS = 500;
const TURN_MS = 20;
/** Eight frames of an 8-bit board. */
const SMALL_WINDOW_BYTES = 512;
/** Listing ports starts a program (udevadm): an answer is good for so long. */
const PORTS_FRESH_MS = 10_000;
/** Bits on the wire per byte: start and stop beside eight. */
const BITS_PER_BYTE = 10;

/** A line's status with who is on it. */
export interface SerialStatus extends SerialLineStatus {
  readonly baud: number;
  readonly trusted: boolean;
  readonly device: string | null;
}

interface Attached {
  readonly config: SerialLineConfig;
  readonly line: SerialLine;
  readonly slot: SerialSlot;
  /** Made by a pattern: goes with its name. */
  readonly isPassing: boolean;
}

/** The lines of one gateway. Opening never fails the start: a line that is not there yet is waited for. */
export class SerialLines {
  readonly #options: SerialLinesOptions;
  readonly #host: SerialLinesHost;
  readonly #attached = new Map<string, Attached>();
  readonly #patterns: SerialPattern[] = [];
  readonly #list: ListSerial;
  readonly #counters: { readonly line: SerialCounters; readonly slot: SlotCounters };
  #isHeld = false;
  #ports: Promise<readonly SerialPortFacts[]> = Promise.resolve([]);
  #portsAskedMonoMs = Number.NEGATIVE_INFINITY;

  constructor(options: SerialLinesOptions, host: SerialLinesHost) {
    this.#options = options;
    this.#host = host;
    this.#list = host.listPorts ?? listSerial;
    this.#counters = { line: serialCounters(host.metrics), slot: slotCounters(host.metrics) };
    for (const config of options.lines) {
      if (isSerialPattern(config.path)) this.#patterns.push(this.#pattern(config));
      else this.#attached.set(config.path, this.#make(config, false));
    }
    if (options.lines.length > 0) {
      host.metrics.gauge("serial_lines_open", "Serial lines that are open", () => this.#openCount);
    }
  }

  #make(config: SerialLineConfig, isPassing: boolean): Attached {
    const { clock, random, log, openPort: open = openSerial } = this.#host;
    const slot = new SerialSlot(config.path, {
      clock,
      counters: this.#counters.slot,
      repeatAfterMs: repeatAfterMs(config.baud),
      nackEveryMs: nackEveryMs(config.baud),
      send: (message) => void line.send(message),
      verify: (hello) => verify(hello, config.trusted, this.#host),
      open: (link) => this.#host.open(link),
    });
    const { messagesPerSecond, messageBurst } = this.#options;
    const world = { clock, random, log, counters: this.#counters.line, open, list: this.#list };
    const line: SerialLine = new SerialLine({ ...config, messagesPerSecond, messageBurst }, world, slot);
    return { config, line, slot, isPassing };
  }

  #pattern(config: SerialLineConfig): SerialPattern {
    const { clock, metrics, listFolder: list = listFolder } = this.#host;
    const attach = (path: string): void => {
      // A line of its own in the configuration has its own speed and trust.
      if (this.#attached.has(path)) return;
      const attached = this.#make({ ...config, path }, true);
      this.#attached.set(path, attached);
      attached.line.hold(this.#isHeld);
      attached.line.start();
    };
    const detach = (path: string): boolean => {
      const attached = this.#attached.get(path);
      if (attached === undefined || !attached.isPassing) return true;
      if (attached.line.status.state === "open") return false;
      this.#attached.delete(path);
      void attached.line.stop();
      return true;
    };
    return new SerialPattern(config.path, { clock, metrics, list, attach, detach });
  }

  start(): void {
    for (const { line } of this.#attached.values()) line.start();
    for (const pattern of this.#patterns) pattern.start();
  }

  async stop(): Promise<void> {
    for (const pattern of this.#patterns) pattern.stop();
    await Promise.all([...this.#attached.values()].map(({ line }) => line.stop()));
  }

  /** Stop or go on reading from every line: back-pressure when the gather buffer is full. */
  pressure(on: boolean): void {
    this.#isHeld = on;
    for (const { line } of this.#attached.values()) line.hold(on);
  }

  /** Every line, in the order of the configuration; those of patterns behind them. */
  status(): SerialStatus[] {
    return [...this.#attached.values()].map(({ config, line, slot }) => ({
      ...line.status,
      baud: config.baud,
      trusted: config.trusted,
      device: slot.device,
    }));
  }

  /** The serial ports of this machine, at most ten seconds old; none when they cannot be listed. */
  ports(): Promise<readonly SerialPortFacts[]> {
    const now = this.#host.clock.monoMs();
    if (now - this.#portsAskedMonoMs >= PORTS_FRESH_MS) {
      this.#portsAskedMonoMs = now;
      this.#ports = this.#list().catch(() => []);
    }
    return this.#ports;
  }

  get #openCount(): number {
    return [...this.#attached.values()].filter(({ line }) => line.status.state === "open").length;
  }
}

/** The longest command down and the longest message up, each behind another, and what the device takes to answer. */
function repeatAfterMs(baud: number): number {
  return ANSWER_MS + Math.ceil((2 * SERIAL_MESSAGE_BYTES_MAX * BITS_PER_BYTE * 1_000) / baud);
}

/**
 * What a small board has in flight when the Nack reaches it, and some milliseconds to turn round: sooner, those frames
 * would each bring another Nack. Later, a board that holds half a second of readings would lose some to a lost Nack.
 */
function nackEveryMs(baud: number): number {
  return TURN_MS + Math.ceil((SMALL_WINDOW_BYTES * BITS_PER_BYTE * 1_000) / baud);
}

/** On a trusted line the id is enough; elsewhere the Hello carries the device's token [P-11]. */
function verify(hello: Hello, trusted: boolean, host: SerialLinesHost): boolean {
  return trusted ? host.isKnown(hello.deviceId) : host.checkProof(hello.proof) === hello.deviceId;
}
