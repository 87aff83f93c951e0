/**
 * What the admin edge needs from the rest of the gateway. Declared here, implemented by `main` out of the other rooms;
 * a fake stands in for it in tests.
 *
 *   browser, CLI, Prometheus ──▶ admin ──AdminHost──▶ storage · session · command · northbound · config
 *
 * Every method may reject with a GatewayError, which the API answers as `{error:{code,what,why,fix}}`.
 */
import type { LogLineQuery, LogLines } from "../core/log-ring.js";
import type { CommandRecord, Delivery } from "../model/command.js";
import type { DeviceIdentity } from "../model/identity.js";
import type { Gap } from "../model/record.js";
import type { SinkStatus } from "../model/sink.js";
import type {
  CommandQuery,
  DeviceFacts,
  GapQuery,
  LiveReading,
  LiveSlice,
  QuarantinedRecord,
  SinkBacklog,
} from "../model/spool.js";

/** Ends a subscription; calling it twice is harmless. */
export type Unsubscribe = () => void;

export interface AdminHost {
  /** Id of this gateway, from the configuration. */
  readonly gatewayId: string;
  readonly version: string;
  /** Decides what /healthz answers: 200 for `ok`, 503 for everything else. */
  health(): Health;
  status(): Promise<StatusFacts>;
  /** Records acknowledged per second over the last minutes, one figure per `stepMs`, oldest first. */
  ackedRates(): AckedRates;
  metrics(): Promise<{ readonly text: string; readonly contentType: string }>;
  /** The configuration in force, secrets removed. */
  config(): ConfigFacts;
  readonly devices: DeviceDesk;
  readonly commands: CommandDesk;
  readonly sinks: SinkDesk;
  readonly live: LiveSource;
  readonly history: HistoryReader;
  readonly password: PasswordStore;
  gaps(query: GapQuery): Promise<readonly Gap[]>;
  /** The configured serial lines, and the ports of this machine; none when those cannot be listed. Never rejects. */
  serial(): Promise<SerialFacts>;
  /** The newest log lines of this process. */
  logs(query: LogLineQuery): LogLines;
  /**
   * Everything a gateway cannot make again, as one file. Read `pieces` to the end, or call their `return`.
   * Errors: E_TOO_MANY (one is being made), E_STORE_FULL (no room for copies), E_STORE_IO, E_STORE_BUSY.
   */
  backup(): Promise<BackupFile>;
  /** Put one line into the audit table. */
  audit(actor: string, action: string, subject: string): void;
}

/** A backup on its way. */
export interface BackupFile {
  readonly fileName: string;
  readonly bytes: number;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** `failed`: the storage reported a fatal error and the process is about to end. */
export type Health = "starting" | "ok" | "stopping" | "failed";

export interface AckedRates {
  readonly stepMs: number;
  /** At most five minutes; fewer while the gateway is younger. */
  readonly perSecond: readonly number[];
}

export interface StatusFacts {
  readonly node: string;
  readonly startedUnixMs: number;
  readonly uptimeMs: number;
  /** Bound ports; null when that listener is off. */
  readonly ports: { readonly devices: number | null; readonly admin: number | null };
  readonly devices: { readonly online: number; readonly sleeping: number; readonly total: number };
  /** Counted since start. */
  readonly acked: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Entries in the list of gaps. */
  readonly gaps: number;
  readonly storeId: string;
  readonly lastRecordId: number;
  readonly backlog: readonly SinkBacklog[];
  readonly disk: {
    readonly usedBytes: number;
    readonly quotaBytes: number;
    readonly freeBytes: number;
    /** Intake is refused for want of space. */
    readonly full: boolean;
  };
  /** From the mean rate of 24 h and the slowest sink; null while nothing can be said. */
  readonly outageHoursLeft: number | null;
  readonly bytesWrittenToday: number;
  readonly eventLoopDelayMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface ConfigFacts {
  /** Path of the file, or null when everything is default. */
  readonly file: string | null;
  /** The configuration as plain JSON, without secrets. */
  readonly effective: unknown;
  /** Where each value came from, by dotted path: `default`, `file:line`, or the variable's name. */
  readonly sources: Readonly<Record<string, string>>;
}

/** One configured serial line. */
export interface SerialLineFacts {
  readonly path: string;
  readonly baud: number;
  /** Devices are taken by their id alone. */
  readonly trusted: boolean;
  readonly state: "stopped" | "opening" | "open" | "waiting";
  /** Who speaks on it; null while nobody has a session. */
  readonly device: string | null;
  /** Why it is not open. */
  readonly problem: { readonly code: string; readonly why: string; readonly fix: string } | null;
  /** Counted since start: messages, stretches that were none, and of those the ones with a wrong CRC. */
  readonly messageCount: number;
  readonly noiseCount: number;
  readonly crcErrorCount: number;
  /** Frames that found no room on their way to the device. */
  readonly droppedCount: number;
  readonly openCount: number;
  /** What the board printed between its frames, oldest first. */
  readonly chatter: readonly { readonly atUnixMs: number; readonly text: string }[];
}

export interface SerialFacts {
  readonly lines: readonly SerialLineFacts[];
  /** What is plugged in, configured or not. */
  readonly ports: readonly {
    /** What to write into the configuration. */
    readonly path: string;
    /** The kernel's name. */
    readonly device: string;
    readonly manufacturer: string | null;
    readonly serialNumber: string | null;
    readonly usbId: string | null;
  }[];
}

/** What the session registry knows of a device right now. */
export interface DevicePresence {
  readonly presence: "online" | "offline" | "sleeping";
  /** Peer address or serial path; null when offline. */
  readonly remote: string | null;
  readonly connectedSinceUnixMs: number | null;
  /** Last sign of life; null: none since the gateway started (the spool's fact counts then). */
  readonly lastSeenUnixMs: number | null;
}

/** A credential in clear, handed out exactly once. */
export interface IssuedCredential {
  readonly token: string;
  /** What the device connects to, e.g. `wss://attic-pi.local:8443/v1/device`. */
  readonly url: string;
  /** PEM of the CA to pin; null when the operator brought a certificate of his own. */
  readonly ca: string | null;
}

export interface DeviceDesk {
  identities(): Promise<readonly DeviceIdentity[]>;
  /** Null: no such device. */
  identity(device: string): DeviceIdentity | null;
  /** What the spool knows of these devices. */
  facts(devices: readonly string[]): Promise<readonly DeviceFacts[]>;
  /** Null: nothing known, shown as offline. */
  presence(device: string): DevicePresence | null;
  /** Presence changes, as they happen. */
  onPresence(listener: (device: string, presence: DevicePresence) => void): Unsubscribe;
  /** Errors: E_DEVICE_EXISTS, E_NAME_INVALID. */
  add(device: string, name: string): Promise<IssuedCredential>;
  /** A new token; the old one and its session end. Errors: E_DEVICE_UNKNOWN. */
  replace(device: string): Promise<IssuedCredential>;
  /** Ends the credential, its session (within a second) and voids queued commands. Errors: E_DEVICE_UNKNOWN. */
  revoke(device: string): Promise<void>;
  rename(device: string, name: string): Promise<void>;
  /** Removes the identity; records and gaps stay. Errors: E_DEVICE_UNKNOWN. */
  forget(device: string): Promise<void>;
}

/** A command as somebody asks for it. */
export interface CommandRequest {
  readonly device: string;
  readonly name: string;
  /** JSON text. */
  readonly args: string;
  /** null: as the device's catalog declares it. */
  readonly delivery: Delivery | null;
  /** null: the gateway's default. */
  readonly ttlMs: number | null;
  readonly source: "api" | "cli" | "dashboard";
  readonly idempotencyKey: string | null;
}

export interface CommandDesk {
  /** Resolves once durable. Errors: E_DEVICE_UNKNOWN, E_IDEMPOTENCY_CONFLICT, E_COMMAND_LIMIT, E_STORE_FULL. */
  submit(request: CommandRequest): Promise<{ readonly command: CommandRecord; readonly repeated: boolean }>;
  /** Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE. */
  cancel(commandId: string): Promise<CommandRecord>;
  get(commandId: string): Promise<CommandRecord | null>;
  list(query: CommandQuery): Promise<readonly CommandRecord[]>;
  /** Every transition, after it is durable. */
  onChange(listener: (command: CommandRecord) => void): Unsubscribe;
}

export interface SinkTestResult {
  readonly ok: boolean;
  readonly elapsedMs: number;
  readonly protocol: string | null;
  readonly error: { readonly code: string; readonly why: string; readonly fix: string } | null;
}

export interface SinkDesk {
  list(): readonly SinkStatus[];
  backlog(): Promise<readonly SinkBacklog[]>;
  /** Connects once beside the running connection; changes nothing. Errors: E_SINK_UNKNOWN. */
  test(name: string): Promise<SinkTestResult>;
  /** Errors: E_SINK_UNKNOWN. */
  pause(name: string): Promise<void>;
  /** Errors: E_SINK_UNKNOWN. */
  resume(name: string): Promise<void>;
  quarantined(name: string, limit: number): Promise<readonly QuarantinedRecord[]>;
  /** Send a record again that is aside; durable. Errors: E_SINK_UNKNOWN, E_QUARANTINE_UNKNOWN. */
  requeue(name: string, recordId: number): Promise<void>;
  /** Forget the place of a sink that left the configuration. Errors: E_SINK_UNKNOWN, E_SINK_CONFIGURED. */
  forget(name: string): Promise<void>;
}

/** Each event, or only what is newest. */
export type LiveShape = "events" | "latest";

export interface LiveSource {
  /** Random name of this incarnation of the store and its newest record. */
  position(): Promise<{ readonly storeId: string; readonly lastRecordId: number }>;
  /** Up to `rowsMax` records after `afterId`: newest values per device and, unless `latest`, the text of each event. */
  read(afterId: number, rowsMax: number, shape: LiveShape): Promise<LiveSlice>;
  /** Does somebody beside the viewers follow the newest values, e.g. a sink with state topics? */
  hasObservers(): boolean;
  /** Called after each commit that stored records. */
  onCommitted(listener: (lastRecordId: number) => void): Unsubscribe;
  /** The newest known value of every signal at start (from history); absent: only what is read from now on. */
  latest?(): Promise<readonly { readonly device: string; readonly readings: readonly LiveReading[] }[]>;
}

export interface HistoryQuery {
  readonly device: string;
  readonly signal: string;
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  /** Buckets replace raw samples past this many; 1 … 5,000. */
  readonly pointsMax: number;
}

/** Columns of one signal. Either `v` (raw) or `min`, `avg`, `max` (bucketed); null marks a gap. */
export interface HistoryColumns {
  readonly unit: string | null;
  /** Width of a bucket; null: raw samples. */
  readonly bucketMs: number | null;
  /** Unix ms, rising. */
  readonly t: readonly number[];
  readonly v?: readonly (number | string | boolean | null)[];
  readonly min?: readonly (number | null)[];
  readonly avg?: readonly (number | null)[];
  readonly max?: readonly (number | null)[];
  /** The newest reading before the range; null: there is none, or the line breaks behind it. Readings only. */
  readonly before?: { readonly t: number; readonly v: number | string | boolean } | null;
}

export interface HistoryReader {
  read(query: HistoryQuery): Promise<HistoryColumns>;
}

/** Where the administrator's password hash lives; implemented by identity.db. */
export interface PasswordStore {
  passwordHash(): Promise<string | null>;
  setPasswordHash(hash: string): Promise<void>;
}
