/**
 * What the admin edge asks for, answered out of the other rooms. Holds no rules: each method is one call elsewhere.
 */
import type {
  AckedRates,
  CommandDesk as AdminCommandDesk,
  AdminHost,
  ConfigFacts,
  DeviceDesk,
  DevicePresence,
  Health,
  HistoryReader,
  IssuedCredential,
  LiveSource,
  PasswordStore,
  SerialFacts,
  SinkDesk,
  StatusFacts,
  Unsubscribe,
} from "../admin/admin-host.js";
import type { CommandDesk } from "../command/command-desk.js";
import type { Clock } from "../core/clock.js";
import type { EventLoopWatch } from "../core/event-loop.js";
import type { LogLineQuery, LogLines, LogRing } from "../core/log-ring.js";
import type { Metrics } from "../core/metrics.js";
import type { CredentialDirectory } from "../enrollment/credential-directory.js";
import type { AskedCommand, CommandRecord, CreateOutcome } from "../model/command.js";
import type { IdentityStore } from "../model/identity.js";
import type { Gap } from "../model/record.js";
import type { GapQuery, LiveEvent, Spool, SpoolReader } from "../model/spool.js";
import type { SessionFacts } from "../session/session-ports.js";
import type { BackupStream } from "../storage/backup-archive.js";
import type { BackupDesk } from "./backup-desk.js";
import { Listeners } from "./listeners.js";
import type { OutageEstimate } from "./outage-estimate.js";
import { isSink, type SinkSet } from "./sink-set.js";
import { storeMetrics } from "./store-metrics.js";

export interface DeskParts {
  readonly gatewayId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly spool: Spool;
  readonly reader: SpoolReader;
  readonly identities: IdentityStore;
  readonly credentials: CredentialDirectory;
  readonly sessions: {
    facts(device: string): SessionFacts | null;
    presence(device: string): "online" | "offline" | "sleeping";
    readonly onlineCount: number;
  };
  readonly commands: CommandDesk;
  readonly submit: (asked: AskedCommand) => Promise<CreateOutcome>;
  readonly sinks: SinkSet;
  readonly history: HistoryReader & Pick<LiveSource, "latest">;
  readonly backup: BackupDesk;
  readonly outage: OutageEstimate;
  readonly eventLoop: EventLoopWatch;
  readonly ackedRates: () => AckedRates;
  readonly config: ConfigFacts;
  readonly logRing: LogRing;
  /** Default time to live of a command in ms, and the longest one a sender may ask for. */
  /** What a new device is told: where to connect and what to trust. */
  readonly invitation: () => { readonly url: string; readonly ca: string | null };
  readonly serial: () => Promise<SerialFacts>;
  readonly ports: () => { readonly devices: number | null; readonly admin: number | null };
}

/** Answers the admin edge; `setHealth`, `committed` and the other news come from `gateway.ts`. */
export class AdminDesk implements AdminHost {
  readonly gatewayId: string;
  readonly version: string;
  readonly history: HistoryReader;
  readonly password: PasswordStore;
  readonly live: LiveSource;
  readonly devices: DeviceDesk;
  readonly commands: AdminCommandDesk;
  readonly sinks: SinkDesk;
  readonly #parts: DeskParts;
  readonly #startedUnixMs: number;
  readonly #startedMonoMs: number;
  readonly #committed = new Listeners<number>();
  readonly #changedCommands = new Listeners<CommandRecord>();
  readonly #presence = new Listeners<{ device: string; presence: DevicePresence }>();
  readonly #events = new Listeners<LiveEvent>();
  readonly #readStoreMetrics: () => Promise<void>;
  #observedTo = 0;
  #health: Health = "starting";

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#startedUnixMs = parts.clock.unixMs();
    this.#startedMonoMs = parts.clock.monoMs();
    this.gatewayId = parts.gatewayId;
    this.version = parts.version;
    this.history = parts.history;
    this.password = parts.identities;
    this.live = this.#liveSource();
    this.devices = this.#deviceDesk();
    this.commands = this.#commandDesk();
    this.sinks = parts.sinks;
    this.#readStoreMetrics = storeMetrics(parts.metrics, () => this.status());
  }

  health(): Health {
    return this.#health;
  }

  setHealth(health: Health): void {
    this.#health = health;
  }

  /** A commit stored records up to this id. */
  committed(lastRecordId: number): void {
    this.#committed.tell(lastRecordId);
  }

  commandChanged(record: CommandRecord): void {
    this.#changedCommands.tell(record);
  }

  /** Decoded records, each once and as they come, for those who keep latest values. */
  onEvent(listener: (event: LiveEvent) => void): Unsubscribe {
    return this.#events.add(listener);
  }

  presenceChanged(device: string): void {
    const presence = this.#presenceOf(device);
    this.#presence.tell({ device, presence });
  }

  async status(): Promise<StatusFacts> {
    const { clock, metrics, spool, sessions, credentials, outage, eventLoop } = this.#parts;
    const store = await spool.status();
    const sleeping = credentials.identities().filter(({ device }) => sessions.presence(device) === "sleeping").length;
    return {
      node: process.versions.node,
      startedUnixMs: this.#startedUnixMs,
      uptimeMs: clock.monoMs() - this.#startedMonoMs,
      ports: this.#parts.ports(),
      devices: { online: sessions.onlineCount, sleeping, total: credentials.count },
      acked: metrics.read("records_stored"),
      duplicates: metrics.read("frames_duplicate"),
      conflicts: metrics.read("frames_conflict"),
      gaps: store.gapCount,
      storeId: store.storeId,
      lastRecordId: store.lastRecordId,
      backlog: store.sinks.filter(isSink),
      disk: {
        usedBytes: store.usedBytes,
        quotaBytes: store.quotaBytes,
        freeBytes: store.diskFreeBytes,
        full: store.full,
      },
      outageHoursLeft: outage.hoursLeft(
        Math.min(store.quotaBytes - store.usedBytes, store.diskFreeBytes),
        clock.monoMs(),
      ),
      bytesWrittenToday: store.bytesWrittenToday,
      eventLoopDelayMs: eventLoop.read(),
    };
  }

  ackedRates(): AckedRates {
    return this.#parts.ackedRates();
  }

  async metrics(): Promise<{ text: string; contentType: string }> {
    await this.#readStoreMetrics();
    return { text: await this.#parts.metrics.text(), contentType: this.#parts.metrics.contentType };
  }

  config(): ConfigFacts {
    return this.#parts.config;
  }

  gaps(query: GapQuery): Promise<readonly Gap[]> {
    return this.#parts.reader.gaps(query);
  }

  serial(): Promise<SerialFacts> {
    return this.#parts.serial();
  }

  logs(query: LogLineQuery): LogLines {
    return this.#parts.logRing.read(query);
  }

  backup(): Promise<BackupStream> {
    return this.#parts.backup.create();
  }

  audit(actor: string, action: string, subject: string): void {
    this.#parts.identities.audit(actor, action, subject);
  }

  /** The feed may read records again when somebody resumes; they are news only once. */
  #observed(event: LiveEvent): void {
    if (event.id <= this.#observedTo) return;
    this.#observedTo = event.id;
    this.#events.tell(event);
  }

  #liveSource(): LiveSource {
    const { spool, reader, history, sinks } = this.#parts;
    return {
      position: async () => {
        const { storeId, lastRecordId } = await spool.status();
        return { storeId, lastRecordId };
      },
      read: async (afterId, rowsMax, shape) => {
        const slice = await (shape === "latest" ? reader.latest(afterId, rowsMax) : reader.live(afterId, rowsMax));
        for (const event of slice.newest) this.#observed(event);
        return slice;
      },
      hasObservers: () => sinks.count > 0,
      onCommitted: (listener) => this.#committed.add(listener),
      ...(history.latest === undefined ? {} : { latest: () => history.latest?.() ?? Promise.resolve([]) }),
    };
  }

  #deviceDesk(): DeviceDesk {
    const { credentials, reader } = this.#parts;
    return {
      // From memory: a slow disk must not keep anybody from seeing who is here.
      identities: async () => credentials.identities(),
      identity: (device) => credentials.identity(device),
      facts: (names) => reader.devices(names),
      presence: (device) => this.#presenceOf(device),
      onPresence: (listener): Unsubscribe => this.#presence.add(({ device, presence }) => listener(device, presence)),
      add: async (device, name) => this.#issued((await credentials.add(device, name)).token),
      replace: async (device) => this.#issued((await credentials.replace(device)).token),
      revoke: async (device) => void (await credentials.revoke(device)),
      rename: async (device, name) => void (await credentials.rename(device, name)),
      forget: (device) => credentials.forget(device),
    };
  }

  #issued(token: string): IssuedCredential {
    return { token, ...this.#parts.invitation() };
  }

  #presenceOf(device: string): DevicePresence {
    const facts = this.#parts.sessions.facts(device);
    if (facts !== null) {
      const connectedSinceUnixMs = facts.connectedUnixMs;
      const lastSeenUnixMs = this.#parts.clock.unixMs();
      return { presence: "online", remote: facts.remote, connectedSinceUnixMs, lastSeenUnixMs };
    }
    const presence = this.#parts.sessions.presence(device);
    // Within the grace of a reconnect the registry still says online; without a session it is not.
    return {
      presence: presence === "online" ? "offline" : presence,
      remote: null,
      connectedSinceUnixMs: null,
      lastSeenUnixMs: null,
    };
  }

  #commandDesk(): AdminCommandDesk {
    const { commands, reader, submit } = this.#parts;
    return {
      submit: (request) => submit({ ...request, responseTopic: null, correlation: null }),
      cancel: (commandId) => commands.cancel(commandId),
      get: (commandId) => reader.command(commandId),
      list: (query) => reader.commands(query),
      onChange: (listener) => this.#changedCommands.add(listener),
    };
  }
}
