/**
 * One life of the gateway's process: real sessions, intake, ledger, dispatcher, desk and pump, wired as `assembly/`
 * wires them, on the simulated disk, network and broker. It ends by a kill; the next one is made on the same disk.
 */
import { CommandDesk } from "tidegate/dist/command/command-desk.js";
import { Dispatcher } from "tidegate/dist/command/dispatcher.js";
import { SILENT } from "tidegate/dist/core/log.js";
import { Metrics } from "tidegate/dist/core/metrics.js";
import type { DeviceLink } from "tidegate/dist/session/session-ports.js";
import { SessionRegistry } from "tidegate/dist/session/session-registry.js";
import { Intake } from "tidegate/dist/telemetry/intake.js";
import type { Stream } from "tidegate/dist/telemetry/stream.js";
import type { Broker } from "./broker.js";
import type { Listener } from "./connection.js";
import type { ProcessClock } from "./process-clock.js";
import type { Seeded } from "./seeded.js";
import { openSerialPort } from "./serial-port.js";
import type { SerialWire } from "./serial-wire.js";
import { SINK, SinkProcess, type SinkSettings } from "./sink-process.js";
import type { WorldStore } from "./store/world-store.js";

export interface GatewaySettings {
  readonly keepaliveMs: number;
  readonly window: number;
  readonly commitIntervalMs: number;
  readonly gatheredBytesMax: number;
  readonly largeBatchEntries: number;
  readonly sink: SinkSettings;
}

export interface GatewayParts {
  readonly clock: ProcessClock;
  readonly random: Seeded;
  /** Id of the newest durable record. */
  readonly lastRecordId: () => number;
  readonly broker: Broker;
  readonly settings: GatewaySettings;
  /** Name of this boot of the machine. */
  readonly bootId: string;
  /** Serial lines that end at this gateway, by the device at their other end. */
  readonly wires: ReadonlyMap<string, SerialWire>;
}

/** More than a world ever has aside. */
const ASIDE_MAX = 10_000;
const HELLO_TIMEOUT_MS = 30_000;
/** Nothing in this world is a clone, but reboots on half-open links take the session over and over. */
const TAKEOVERS_PER_MINUTE = 3;

/** Runs from `start` until `kill`; the next life is another one, on the same disk. */
export class GatewayProcess {
  readonly desk: CommandDesk;
  readonly #parts: GatewayParts;
  readonly #store: WorldStore;
  readonly #intake: Intake;
  readonly #dispatcher: Dispatcher;
  readonly #registry: SessionRegistry<Stream>;
  readonly #sink: SinkProcess;
  readonly #metrics = new Metrics();
  #closePorts: readonly (() => void)[] = [];
  #isListening = false;

  /** @param store opened by this process, in the world's home of stores. */
  constructor(parts: GatewayParts, store: WorldStore) {
    this.#parts = parts;
    this.#store = store;
    const { clock, random, bootId } = parts;
    this.#intake = this.#makeIntake(this.#metrics);
    this.#dispatcher = new Dispatcher({
      store: this.#store.commands,
      clock,
      log: SILENT,
      bootId,
      changed: (record) => this.desk.changed(record),
    });
    this.desk = new CommandDesk({
      dispatcher: this.#dispatcher,
      clock,
      deviceExists: () => true,
    });
    this.#registry = this.#makeRegistry(this.#metrics);
    store.spool.onSpace(() => this.#intake.resume());
    const { sink: settings } = parts.settings;
    this.#sink = new SinkProcess({
      ...{ store, broker: parts.broker, clock, random, settings },
      lastRecordId: parts.lastRecordId(),
    });
  }

  /** Take unfinished commands over, start the sink, listen. */
  async start(): Promise<void> {
    for (const record of await this.#unfinished()) this.#dispatcher.add(record);
    if (!this.#parts.clock.isAlive) return;
    this.#sink.start();
    this.#isListening = true;
    this.#closePorts = [...this.#parts.wires].map(([device, wire]) => this.#openPort(device, wire));
  }

  accept(link: DeviceLink): Listener | null {
    if (!this.#isListening) return null;
    const session = this.#registry.open(link);
    return { message: (bytes) => session.message(bytes), linkLost: () => session.linkLost() };
  }

  kill(): void {
    this.#isListening = false;
    for (const close of this.#closePorts) close();
    this.#parts.clock.kill();
    this.#store.kill();
    this.#sink.kill();
  }

  #openPort(device: string, wire: SerialWire): () => void {
    const { clock } = this.#parts;
    const world = { device, clock, metrics: this.#metrics, isAlive: () => clock.isAlive };
    return openSerialPort(wire, world, (link) => this.#registry.open(link));
  }

  /** The sink has taken everything there is. */
  get isDrained(): boolean {
    return this.#sink.cursor >= this.#parts.lastRecordId();
  }

  /** What the sink's cursor stands at, for whoever asks why it is not at the end. */
  get cursor(): number {
    return this.#sink.cursor;
  }

  get unfinishedCount(): number {
    return this.#dispatcher.unfinishedCount;
  }

  /** Somebody has the records that are aside sent again. @returns how many there were. */
  async requeue(): Promise<number> {
    const { reader, spool } = this.#store;
    let count = 0;
    for (const { recordId, canRequeue } of await reader.quarantined(SINK, ASIDE_MAX)) {
      if (!canRequeue) continue;
      count += 1;
      // A busy file, or a line that has moved since: an answer like any other.
      await spool.requeue(SINK, recordId).catch(() => {});
    }
    this.#sink.requeued();
    return count;
  }

  /** Records that the sink has aside, or is about to try again. */
  async asideCount(): Promise<number> {
    const rows = await this.#store.reader.quarantined(SINK, ASIDE_MAX);
    return rows.filter(({ state, sink }) => state !== "delivered" && sink === SINK).length;
  }

  /** A busy file at the very start: ask again. */
  async #unfinished() {
    for (;;) {
      try {
        return await this.#store.commands.unfinished();
      } catch {
        await new Promise<void>((resolve) => this.#parts.clock.after(100, resolve));
      }
    }
  }

  #makeIntake(metrics: Metrics): Intake {
    const { clock, settings } = this.#parts;
    const { commitIntervalMs, gatheredBytesMax, largeBatchEntries } = settings;
    return new Intake(this.#store.spool, clock, metrics, {
      limits: { gatheredBytesMax, commitIntervalMs, largeBatchEntries },
      host: {
        // The simulated links have no buffers of their own to stop reading from.
        pressure: () => {},
        committed: (outcome) => {
          for (const record of outcome.commands) this.#dispatcher.updated(record);
          this.#sink.committed(outcome.lastRecordId);
        },
      },
    });
  }

  #makeRegistry(metrics: Metrics): SessionRegistry<Stream> {
    const { clock, settings } = this.#parts;
    const { spool } = this.#store;
    return new SessionRegistry<Stream>(
      {
        intake: this.#intake,
        hello: (request) => spool.hello(request),
        saveBootOffset: (deviceKey, bootNonce, offset) => spool.saveBootOffset(deviceKey, bootNonce, offset),
        commandsReady: (channel) => this.#dispatcher.ready(channel),
        commandsLost: (channel) => this.#dispatcher.lost(channel),
      },
      {
        settings: { keepaliveMs: settings.keepaliveMs, helloTimeoutMs: HELLO_TIMEOUT_MS, window: settings.window },
        takeoversPerMinute: TAKEOVERS_PER_MINUTE,
        clock,
        log: SILENT,
        metrics,
        presenceChanged: () => {},
      },
    );
  }
}
