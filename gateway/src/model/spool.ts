/**
 * The durable store as the gateway's main thread sees it. Implemented by `storage/`, whose worker performs the calls
 * in the order they were made; a promise resolves after the transaction that answers it is on disk.
 *
 *   sessions ──append──▶ GatherBuffer ──commit──▶ ┌─────────────┐
 *   sessions ──hello (behind everything older)──▶ │ storage     │──▶ spool.db
 *   commands, cursors, identities ──────────────▶ │ worker      │──▶ identity.db
 *                                                 └─────────────┘
 *   sinks, feed, API ◀── rendered slices ── reader worker (read-only)
 */
import type { CommandRecord } from "./command.js";
import type { Gap } from "./record.js";

/** What a Hello says that the store must know; times are the gateway's. */
export interface HelloRequest {
  readonly deviceId: string;
  readonly bootNonce: number;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly oldest: number;
  readonly ackedSeq: number;
  readonly closing: boolean;
  readonly lastCommand: number;
  readonly catalogHash: number;
  readonly firmware: string;
  readonly model: string;
  readonly sleepMs: number;
  readonly receivedUnixMs: number;
}

/** What a Welcome is made of. */
export interface HelloOutcome {
  /** Small integer that stands for the device in batches. Never reused. */
  readonly deviceKey: number;
  /** The epoch of this session: the device's own, or a new one, durable. */
  readonly epoch: number;
  /** True when `epoch` is not the one the device named. */
  readonly renumbered: boolean;
  /** The durable mark of that epoch, behind everything received on older links [P-4]. */
  readonly ackedSeq: number;
  /** The store has no catalog of that hash for the device. */
  readonly wantCatalog: boolean;
  /** The highest command wire id ever given to this device [P-15]. */
  readonly lastWireId: number;
  /** Unix ms minus uptime ms per boot that was synchronised before, newest first, at most 8 [P-23]. */
  readonly bootOffsets: readonly { readonly bootNonce: number; readonly offsetUnixMs: number }[];
}

/** One gathered batch; `buffer` is transferred away and comes back with the outcome. Layout: telemetry/batch.ts. */
export interface GatherBatch {
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  readonly entryCount: number;
  /** How many of its batches the intake had been refused when it packed this one. */
  readonly refusalsKnown: number;
}

/** Of one batch; with a failure nothing of it is stored. */
export type CommitOutcome = CommitSuccess | CommitFailure;

/** Everything of the batch is on the disk: acks may go out. */
export interface CommitSuccess {
  readonly ok: true;
  /** The batch's buffer, given back for reuse. */
  readonly buffer: ArrayBuffer;
  /** Id of the newest record in the spool. */
  readonly lastRecordId: number;
  /** How many of the entries became records. */
  readonly storedCount: number;
  /** Triplets deviceKey, epoch, durable mark: one per stream that the batch touched. */
  readonly marks: Uint32Array;
  /** Gap entries written. */
  readonly gapCount: number;
  /** Entries whose (epoch, seq) was already stored: with equal bytes, and with other bytes (a conflict). */
  readonly duplicateCount: number;
  readonly conflictCount: number;
  /** Commands that updates in this batch moved, in their new state. */
  readonly commands: readonly CommandRecord[];
}

/** Nothing of the batch was stored; every mark is where it was. */
export interface CommitFailure {
  readonly ok: false;
  readonly buffer: ArrayBuffer;
  /** `behind`: one in front was refused after this was packed, so it stands on numbers that were taken back. */
  readonly reason: "full" | "busy" | "behind";
  readonly retryAfterMs: number;
}

/** How full the store is. */
export interface SpoolStatus {
  /** Random name of this incarnation of the store. */
  readonly storeId: string;
  readonly recordCount: number;
  readonly oldestRecordId: number;
  readonly lastRecordId: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  readonly diskFreeBytes: number;
  readonly gapCount: number;
  /** Is intake refused for want of space? */
  readonly full: boolean;
  readonly bytesWrittenToday: number;
  /** Per sink: its cursor and how many records and ms it is behind. */
  readonly sinks: readonly SinkBacklog[];
}

/** What a sink has still to take. */
export interface SinkBacklog {
  readonly sink: string;
  readonly cursor: number;
  readonly backlogCount: number;
  /** Age of the oldest record the sink has not taken; 0 when caught up. */
  readonly backlogAgeMs: number;
  /** The sink is no longer configured: its cursor holds nothing back. */
  readonly orphaned: boolean;
}

/** The store, as intake and sinks see it. Every promise is answered in the order of the calls. */
export interface Spool {
  /** Store everything gathered, in one transaction [P-2] [P-3]. Fatal disk errors end the process, never answer. */
  commit(batch: GatherBatch): Promise<CommitOutcome>;
  /** Decide epoch and mark of a new session, behind everything committed before it [P-4] … [P-9]. */
  hello(request: HelloRequest): Promise<HelloOutcome>;
  /** Remember how a boot's uptime maps to Unix time [P-23]; batched, may be lost in a crash. */
  saveBootOffset(deviceKey: number, bootNonce: number, offsetUnixMs: number): void;
  /** The sink has taken everything up to `recordId`; batched, may be lost in a crash (the sink sees repeats). */
  saveCursor(sink: string, recordId: number): void;
  /** Make cursors fit the configured sinks; called once at start. Returns each sink's cursor. */
  openSinks(sinks: readonly SinkStart[]): Promise<ReadonlyMap<string, number>>;
  /**
   * Forget where a sink stood that left the configuration, and its quarantine.
   *
   * Errors: E_SINK_UNKNOWN, E_SINK_CONFIGURED.
   */
  forgetSink(sink: string): Promise<void>;
  /** Put one record on a sink's quarantine list: it cannot be delivered there. With its gap entry, one transaction. */
  quarantine(sink: string, recordId: number, reason: string, message: QuarantinedMessage | null): Promise<void>;
  /** Let the sink try a record again that it has aside; durable. Errors: E_QUARANTINE_UNKNOWN. */
  requeue(sink: string, recordId: number): Promise<void>;
  /** What came of a requeued record. @param refusal why it was refused again; null: it was taken. */
  settleRequeued(sink: string, recordId: number, refusal: string | null): Promise<void>;
  status(): Promise<SpoolStatus>;
  /** Called when space is available again after a failure with `full`. */
  onSpace(listener: () => void): void;
}

/** Where a sink begins that has no cursor yet. */
export interface SinkStart {
  readonly name: string;
  /** A number: what came at that Unix ms or later, by the clock of then. */
  readonly start: "oldest" | "now" | number;
  readonly holdMaxAgeMs: number | null;
  readonly holdMaxBytes: number | null;
}

/** Records rendered for a sink: flat arrays, so that a slice crosses threads as a few transferred buffers. */
export interface RenderedSlice {
  /** Every record up to this id was looked at; the next slice starts after it. */
  readonly scannedToId: number;
  /** More may follow at once. */
  readonly more: boolean;
  readonly count: number;
  readonly ids: Float64Array;
  readonly kinds: Uint8Array;
  readonly epochs: Uint32Array;
  readonly seqs: Uint32Array;
  /** Index into `devices`. */
  readonly deviceOf: Uint32Array;
  readonly devices: readonly string[];
  /** Index into `topics`: the topic below `tidegate/<gw>/`, e.g. `attic-7/data`, `attic-7/cmd/fan/result`. */
  readonly topicOf: Uint32Array;
  readonly topics: readonly string[];
  /** Payload i is bytes[offsets[i]] … bytes[offsets[i + 1]]. */
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** Records that concern one sink alone (what only it skipped), by index: its name. Most slices have none. */
  readonly onlyFor: ReadonlyMap<number, string>;
  /** Response topics and correlation of command outcomes, by index; most slices have none. */
  readonly responses: ReadonlyMap<number, { readonly topic: string; readonly correlation: string | null }>;
}

/** One reading as the live feed and the API show it. */
export interface LiveReading {
  readonly signal: string;
  /** Unix ms. */
  readonly t: number;
  readonly v: number | string | boolean | null;
  readonly q: "good" | "uncertain" | "bad";
  readonly unit?: string;
}

/** One stored record for the live feed. */
export interface LiveEvent {
  /** Record id: the feed's offset. */
  readonly id: number;
  readonly device: string;
  readonly kind: "data" | "log" | "gap" | "command";
  readonly receivedUnixMs: number;
  readonly readings?: readonly LiveReading[];
  /** Log text, gap or command outcome as an object. */
  readonly detail?: unknown;
}

/** An event as the JSON text of a LiveEvent: viewers get it as it is, and a text crosses threads as one copy. */
export interface LiveText {
  readonly id: number;
  readonly json: string;
}

/** A stretch of the feed. */
export interface LiveSlice {
  readonly scannedToId: number;
  readonly more: boolean;
  /** One event per device with the newest reading of every signal, under the id of the device's last record. */
  readonly newest: readonly LiveEvent[];
  /** Each event; empty where only the newest readings were asked for. */
  readonly texts: readonly LiveText[];
  /** Records after the asked id were already deleted: the viewer must refetch. */
  readonly missed: boolean;
}

/** Which gaps, oldest first. */
export interface GapQuery {
  readonly device?: string;
  readonly afterId?: number;
  /** 1 … 10,000. */
  readonly limit: number;
}

/** Which commands. */
export interface CommandQuery {
  readonly device?: string;
  readonly state?: string;
  /** 1 … 1,000, newest first. */
  readonly limit: number;
}

/** A message as it was to be sent, so that it can be sent again byte for byte. */
export interface QuarantinedMessage {
  /** Below `tidegate/<gw>/`. */
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** A record that a sink is to try again. */
export interface RequeuedRecord extends QuarantinedMessage {
  readonly recordId: number;
}

/** A record that a sink would not take, set aside so that the others could pass. */
export interface QuarantinedRecord {
  readonly recordId: number;
  readonly sink: string;
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly reason: string;
  readonly atUnixMs: number;
  /** `requeued`: the sink is to try it again. `delivered`: it did, and it was taken. */
  readonly state: "aside" | "requeued" | "delivered";
  /** Its message is still kept. */
  readonly canRequeue: boolean;
}

/** What is known of a device from its sessions (the spool's side; credentials are in identity.db). */
export interface DeviceFacts {
  readonly device: string;
  readonly deviceKey: number;
  readonly firmware: string;
  readonly model: string;
  readonly sleepMs: number;
  readonly lastSeenUnixMs: number;
  readonly epoch: number;
  readonly ackedSeq: number;
  /** Decoded catalog as JSON-able values: signals and commands; null when none was sent. */
  readonly catalog: { readonly signals: readonly unknown[]; readonly commands: readonly unknown[] } | null;
}

/** Read-only views, answered by the reader worker; reads never delay a commit. */
export interface SpoolReader {
  /** Up to `rowsMax` records after `afterId`, rendered for MQTT-like sinks. */
  rendered(afterId: number, rowsMax: number): Promise<RenderedSlice>;
  /** Up to `rowsMax` records after `afterId`, for viewers. */
  live(afterId: number, rowsMax: number): Promise<LiveSlice>;
  /** As `live`, without texts. */
  latest(afterId: number, rowsMax: number): Promise<LiveSlice>;
  gaps(query: GapQuery): Promise<readonly Gap[]>;
  commands(query: CommandQuery): Promise<readonly CommandRecord[]>;
  command(commandId: string): Promise<CommandRecord | null>;
  quarantined(sink: string | null, limit: number): Promise<readonly QuarantinedRecord[]>;
  /** What the sink is to try again, in the order it was put aside. */
  requeued(sink: string, limit: number): Promise<readonly RequeuedRecord[]>;
  /** All devices the spool knows, by id; only those of `names` when given. */
  devices(names?: readonly string[]): Promise<readonly DeviceFacts[]>;
}
