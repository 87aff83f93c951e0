/**
 * All configured serial lines: each a line, and a slot for the session on it.
 *
 *   serial-open ─▶ serial-line ─▶ serial-slot ─▶ session
 */
import { type Hello, SERIAL_MESSAGE_BYTES_MAX } from "@tidegate/proto";
import type { Clock } from "../core/clock.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import { SerialLine, type SerialLineStatus, serialCounters } from "./serial-line.js";
import { type ListSerial, listSerial, type OpenSerial, openSerial, type SerialPortFacts } from "./serial-open.js";
import { type SerialLink, type SerialSession, SerialSlot, slotCounters } from "./serial-slot.js";

/** One line of the configuration. */
export interface SerialLineConfig {
  readonly path: string;
  readonly baud: number;
  /** Devices are taken by their id alone: the wire is the proof. */
  readonly trusted: boolean;
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
  /** The device whose token this is, or null. */
  checkProof(proof: Uint8Array): string | null;
  /** Is there such a device, and is it not revoked? */
  isKnown(device: string): boolean;
  open(link: SerialLink): SerialSession;
}

/** How long a device may take to say that it has a command. */
const ANSWER_MS = 500;
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
}

/** The lines of one gateway. Opening never fails the start: a line that is not there yet is waited for. */
export class SerialLines {
  readonly #attached: readonly Attached[];
  readonly #clock: Clock;
  readonly #list: ListSerial;
  #ports: Promise<readonly SerialPortFacts[]> = Promise.resolve([]);
  #portsAskedMonoMs = Number.NEGATIVE_INFINITY;

  constructor(options: SerialLinesOptions, host: SerialLinesHost) {
    const counters = serialCounters(host.metrics);
    this.#clock = host.clock;
    this.#list = host.listPorts ?? listSerial;
    const sessionCounters = slotCounters(host.metrics);
    const world = {
      clock: host.clock,
      random: host.random,
      log: host.log,
      counters,
      open: host.openPort ?? openSerial,
      list: this.#list,
    };
    this.#attached = options.lines.map((config) => {
      const slot = new SerialSlot(config.path, {
        clock: host.clock,
        counters: sessionCounters,
        repeatAfterMs: repeatAfterMs(config.baud),
        send: (message) => void line.send(message),
        verify: (hello) => verify(hello, config.trusted, host),
        open: (link) => host.open(link),
      });
      const { messagesPerSecond, messageBurst } = options;
      const line: SerialLine = new SerialLine({ ...config, messagesPerSecond, messageBurst }, world, slot);
      return { config, line, slot };
    });
    if (options.lines.length > 0) {
      host.metrics.gauge("serial_lines_open", "Serial lines that are open", () => this.#openCount);
    }
  }

  start(): void {
    for (const { line } of this.#attached) line.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#attached.map(({ line }) => line.stop()));
  }

  /** Stop or go on reading from every line: back-pressure when the gather buffer is full. */
  pressure(on: boolean): void {
    for (const { line } of this.#attached) line.hold(on);
  }

  /** Every line, in the order of the configuration. */
  status(): SerialStatus[] {
    return this.#attached.map(({ config, line, slot }) => ({
      ...line.status,
      baud: config.baud,
      trusted: config.trusted,
      device: slot.device,
    }));
  }

  /** The serial ports of this machine, at most ten seconds old; none when they cannot be listed. */
  ports(): Promise<readonly SerialPortFacts[]> {
    const now = this.#clock.monoMs();
    if (now - this.#portsAskedMonoMs >= PORTS_FRESH_MS) {
      this.#portsAskedMonoMs = now;
      this.#ports = this.#list().catch(() => []);
    }
    return this.#ports;
  }

  get #openCount(): number {
    return this.#attached.filter(({ line }) => line.status.state === "open").length;
  }
}

/** The longest command down and the longest message up, each behind another, and what the device takes to answer. */
function repeatAfterMs(baud: number): number {
  return ANSWER_MS + Math.ceil((2 * SERIAL_MESSAGE_BYTES_MAX * BITS_PER_BYTE * 1_000) / baud);
}

/** On a trusted line the id is enough; elsewhere the Hello carries the device's token [P-11]. */
function verify(hello: Hello, trusted: boolean, host: SerialLinesHost): boolean {
  return trusted ? host.isKnown(hello.deviceId) : host.checkProof(hello.proof) === hello.deviceId;
}
