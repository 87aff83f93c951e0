/**
 * The southern half put together: listener, serial lines, sessions, intake, commands.
 *
 *   ws-listener ──┬─▶ session-registry ─▶ intake ─▶ store
 *   serial-lines ─┘        │                └─ command updates ─▶ dispatcher
 *                          └──── channels ────────────────────────▶ dispatcher ─▶ devices
 */
import { Reason } from "@tidegate/proto";
import { CommandDesk } from "../command/command-desk.js";
import { Dispatcher } from "../command/dispatcher.js";
import type { Config } from "../config/config.js";
import type { TlsMaterial } from "../config/tls-files.js";
import { TurnClock } from "../core/turn-clock.js";
import type { CredentialDirectory, EndReason } from "../enrollment/credential-directory.js";
import type { AskedCommand, CommandRecord, CreateOutcome, NewCommand } from "../model/command.js";
import type { PresenceChange } from "../session/presence.js";
import { SessionRegistry } from "../session/session-registry.js";
import { boardsPlug, SerialLines, type SerialStatus } from "../southbound/serial-lines.js";
import type { SerialPortFacts } from "../southbound/serial-open.js";
import { WsListener } from "../southbound/ws-listener.js";
import { Intake } from "../telemetry/intake.js";
import type { Stream } from "../telemetry/stream.js";
import { CommandDefaults } from "./command-defaults.js";
import { commitIntervalOf } from "./commit-interval.js";
import { Listeners } from "./listeners.js";
import type { Store } from "./store.js";
import type { GatewayWorld } from "./world.js";

export interface DeviceSideParts {
  readonly config: Config;
  readonly tls: TlsMaterial | null;
  readonly store: Store;
  readonly credentials: CredentialDirectory;
  readonly world: GatewayWorld;
  readonly bootId: string;
}

/** What a commit brought, for those who follow the spool. */
export interface CommittedNews {
  readonly lastRecordId: number;
  readonly bytes: number;
}

/** Large enough that its fsync is a small part of its commit: row T1 of the benchmark gains a fifth by it. */
const LARGE_BATCH_ENTRIES = 1_024;

const ENDED_BECAUSE: Readonly<Record<EndReason, string>> = {
  revoked: "the credential was withdrawn",
  replaced: "the credential was replaced",
  forgotten: "the device was removed",
};

/** Everything towards devices; `start` listens, `stop` drains. */
export class DeviceSide {
  readonly registry: SessionRegistry<Stream>;
  readonly commands: CommandDesk;
  /** Accept a command from whatever door: durable when it resolves. Errors: those of `CommandDesk.submit`. */
  readonly submit: (asked: AskedCommand) => Promise<CreateOutcome>;
  readonly #parts: DeviceSideParts;
  /** What the frames of one turn of the event loop are stamped by. */
  readonly #arrivals: TurnClock;
  readonly #intake: Intake;
  readonly #dispatcher: Dispatcher;
  readonly #listener: WsListener;
  readonly #serial: SerialLines;
  readonly #committed = new Listeners<CommittedNews>();
  readonly #presence = new Listeners<PresenceChange>();
  readonly #commandNews = new Listeners<CommandRecord>();
  #port = 0;

  constructor(parts: DeviceSideParts) {
    this.#parts = parts;
    const { store, credentials, world, bootId } = parts;
    this.#arrivals = new TurnClock(world.clock);
    this.#intake = this.#makeIntake();
    this.#dispatcher = new Dispatcher({
      store: store.commands,
      clock: world.clock,
      log: world.log,
      bootId,
      changed: (record) => this.#commandChanged(record),
    });
    this.commands = new CommandDesk({
      dispatcher: this.#dispatcher,
      clock: world.clock,
      deviceExists: (device) => credentials.identity(device)?.tokenHash != null,
    });
    const { ttlMs, ttlMsMax } = parts.config.commands;
    const submit = (command: NewCommand): Promise<CreateOutcome> => this.commands.submit(command);
    this.submit = new CommandDefaults({ reader: store.reader, submit, ttlMs, ttlMsMax }).submit;
    this.registry = this.#makeRegistry();
    this.#listener = this.#makeListener();
    this.#serial = this.#makeSerial();
    credentials.onEnded((device, reason) => this.#credentialEnded(device, reason));
    store.spool.onSpace(() => this.#intake.resume());
    world.metrics.gauge("commands_unfinished", "Commands not yet final", () => this.#dispatcher.unfinishedCount);
    world.metrics.gauge("intake_bytes", "Bytes gathered and committing", () => this.#intake.heldBytes);
  }

  /** Take unfinished commands over, listen, and open the serial lines. Errors: E_PORT_BUSY, E_LISTEN. */
  async start(): Promise<void> {
    for (const record of await this.#parts.store.commands.unfinished()) this.#dispatcher.add(record);
    this.#port = await this.#listener.listen();
    this.#serial.start();
  }

  /** Say Bye, take what is on its way into the last commit, free the port. */
  async stop(graceMs: number): Promise<void> {
    this.registry.stop();
    this.#dispatcher.stop();
    await Promise.all([this.#listener.close(graceMs), this.#serial.stop()]);
    await this.#intake.drained();
  }

  reload(tls: TlsMaterial): void {
    this.#listener.reload(tls);
  }

  get port(): number {
    return this.#port;
  }

  /** Every configured serial line and who is on it. */
  serialStatus(): SerialStatus[] {
    return this.#serial.status();
  }

  /** The serial ports of this machine, configured or not. */
  serialPorts(): Promise<readonly SerialPortFacts[]> {
    return this.#serial.ports();
  }

  onCommitted(listener: (news: CommittedNews) => void): void {
    this.#committed.add(listener);
  }

  onPresence(listener: (change: PresenceChange) => void): void {
    this.#presence.add(listener);
  }

  onCommand(listener: (record: CommandRecord) => void): void {
    this.#commandNews.add(listener);
  }

  #makeIntake(): Intake {
    const { config, store, world } = this.#parts;
    const { gatheredBytesMax } = config.storage;
    return new Intake(store.spool, world.clock, world.metrics, {
      limits: {
        gatheredBytesMax,
        commitIntervalMs: commitIntervalOf(config),
        largeBatchEntries: LARGE_BATCH_ENTRIES,
      },
      host: {
        pressure: (on) => {
          this.#listener.pressure(on);
          this.#serial.pressure(on);
        },
        committed: (outcome, bytes) => {
          for (const record of outcome.commands) this.#dispatcher.updated(record);
          this.#committed.tell({ lastRecordId: outcome.lastRecordId, bytes });
        },
      },
    });
  }

  #makeRegistry(): SessionRegistry<Stream> {
    const { config, store, world } = this.#parts;
    const { spool } = store;
    return new SessionRegistry<Stream>(
      {
        intake: this.#intake,
        hello: (request) => spool.hello(request),
        saveBootOffset: (deviceKey, bootNonce, offset) => spool.saveBootOffset(deviceKey, bootNonce, offset),
        commandsReady: (channel) => this.#dispatcher.ready(channel),
        commandsLost: (channel) => this.#dispatcher.lost(channel),
      },
      {
        settings: {
          keepaliveMs: config.devices.keepaliveMs,
          helloTimeoutMs: config.devices.helloTimeoutMs,
          window: config.devices.window,
        },
        takeoversPerMinute: config.devices.takeoversPerMinute,
        clock: world.clock,
        arrivals: this.#arrivals,
        log: world.log,
        metrics: world.metrics,
        presenceChanged: (change) => this.#presence.tell(change),
      },
    );
  }

  #makeListener(): WsListener {
    const { config, tls, credentials, world } = this.#parts;
    const { devices } = config;
    return new WsListener(
      {
        host: devices.listen.host,
        port: devices.listen.port,
        tls,
        trustProxy: devices.trustProxy,
        testEcho: devices.testEcho,
        admission: {
          linkCountMax: devices.connectionsMax,
          greetingCountMax: devices.handshakesMax,
          perSecond: devices.handshakesPerSecond,
        },
        messageBytesMax: devices.messageBytesMax,
        outboundBytesMax: devices.outboundBytesMax,
        messagesPerSecond: devices.messagesPerSecond,
        messageBurst: devices.messageBurst,
        authFailuresPerMinute: devices.authFailuresPerMinute,
        handshakeTimeoutMs: devices.helloTimeoutMs,
      },
      {
        clock: world.clock,
        arrivals: this.#arrivals,
        random: world.random,
        log: world.log,
        metrics: world.metrics,
        greetingCount: () => this.registry.greetingCount,
        authenticate: (token) => credentials.check(token),
        open: (link) => this.registry.open(link),
      },
    );
  }

  #makeSerial(): SerialLines {
    const { config, credentials, world } = this.#parts;
    const { messagesPerSecond, messageBurst } = config.devices;
    return new SerialLines(
      { lines: [...config.serial, boardsPlug(config.gateway.dataDir)], messagesPerSecond, messageBurst },
      {
        clock: world.clock,
        random: world.random,
        log: world.log,
        metrics: world.metrics,
        checkProof: (proof) => credentials.checkProof(proof),
        isKnown: (device) => {
          const identity = credentials.identity(device);
          return identity !== null && identity.revokedUnixMs === null;
        },
        open: (link) => this.registry.open(link),
      },
    );
  }

  #credentialEnded(device: string, reason: EndReason): void {
    this.registry.endDevice(device, Reason.REVOKED, ENDED_BECAUSE[reason]);
    if (reason !== "replaced") void this.#dispatcher.voidDevice(device, ENDED_BECAUSE[reason]);
  }

  #commandChanged(record: CommandRecord): void {
    this.commands.changed(record);
    this.#commandNews.tell(record);
  }
}
