/**
 * One row of the spool, and what its numbers mean.
 *
 * A record's meaning is frozen at intake: it keeps the bytes as received, the catalog in force and the instant its
 * times count from, so that what a sink gets is byte-identical on every retry.
 */

/** What a record carries. The numbers are stored: never renumber. */
export const RecordKind = {
  /** body: the bytes of a Telemetry message. */
  telemetry: 1,
  /** body: the bytes of a Log message. */
  log: 2,
  /** body: JSON of a GapBody; `seq` is the first missing number. */
  gap: 3,
  /** body: JSON of a CommandOutcomeBody; epoch and seq are 0. */
  commandOutcome: 4,
  /** body: a whole Uplink whose body this version does not know [P-25]. Kept and acked, sent nowhere. */
  unknown: 5,
  /** body: JSON of a ServiceBody; `seq` is a number that carried no reading, so that no number is without a message. */
  service: 6,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** How well the UTC instant of a record is known. The numbers are stored: never renumber. */
export const Accuracy = {
  /** The device sent UTC itself. */
  device: 0,
  /** Mapped from the device's uptime by pings [P-23]. */
  mapped: 1,
  /** Stamped on arrival: the boot it was measured in never synchronised. */
  uncertain: 2,
} as const;
export type Accuracy = (typeof Accuracy)[keyof typeof Accuracy];

/** One reliable message of a device as the spool keeps it. */
export interface StoredRecord {
  /** Rises by AUTOINCREMENT, never reused; the live feed's offset and the sinks' cursor. */
  readonly id: number;
  readonly device: string;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: RecordKind;
  readonly receivedUnixMs: number;
  /** Unix ms that the times inside the body count from. */
  readonly baseUnixMs: number;
  readonly accuracy: Accuracy;
  /** Row id of the catalog in force; 0: none. */
  readonly catalog: number;
  readonly body: Uint8Array;
}

/** Why numbers are missing. Stored and shown: never rename. */
export type GapReason =
  /** The device announced that it had to drop them [P-1]. */
  | "evicted"
  /** The device restarted without its memory; the open end of its old epoch [P-6]. */
  | "restart"
  /** Acked once by an earlier incarnation of the store, not proven here [P-8]. */
  | "unproven"
  /** The device went back in time; what it holds was renumbered under a new epoch [P-7]. */
  | "rollback"
  /** Dropped here: the spool was full and storage.whenFull is drop-oldest. */
  | "dropped"
  /** Skipped for one sink: it was down for longer than its hold. */
  | "sinkHold"
  /** Damaged on disk, or refused by a sink. */
  | "quarantined";

/** One entry of the permanent list: numbers of a device that are missing, from … to, both included. */
export interface Gap {
  readonly id: number;
  readonly device: string;
  readonly epoch: number;
  readonly fromSeq: number;
  /** null: unknown, the open end of an epoch. */
  readonly toSeq: number | null;
  readonly reason: GapReason;
  readonly atUnixMs: number;
  /** Set when only one sink missed them. */
  readonly sink: string | null;
}

/** Body of a gap record, as JSON. */
export interface GapBody {
  readonly fromSeq: number;
  readonly toSeq: number | null;
  readonly reason: GapReason;
  readonly sink: string | null;
}

/** Body of a service record, as JSON: what the device sent under that number. */
export interface ServiceBody {
  readonly carries: "catalog" | "commandUpdate" | "unreadable";
}

/** Body of a commandOutcome record, as JSON. */
export interface CommandOutcomeBody {
  readonly commandId: string;
  readonly name: string;
  readonly state: string;
  /** JSON value, or null. */
  readonly result: unknown;
  readonly error: string | null;
  readonly source: string;
  /** MQTT 5 Response Topic and Correlation Data (base64) of the request, when it had them. */
  readonly responseTopic: string | null;
  readonly correlation: string | null;
}
