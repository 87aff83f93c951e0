/**
 * The tables as the spool's rules see them: rows by key, and nothing that is SQL.
 *
 *   ledger, command book ──▶ SpoolTables ◀── storage/spool-tables.ts   (spool.db)
 *                                        ◀── testing/memory-tables.ts  (tests and simulations)
 *
 * Everything the rules do happens between `begin` and `commit` of whoever owns the transaction: all of it becomes
 * durable or none. One contract test (`testing/tables-contract.ts`) is run by both implementations.
 */
import type { CommandRecord } from "../model/command.js";
import type { Accuracy, GapReason, RecordKind } from "../model/record.js";

/** Where an epoch stands. The numbers are stored: never renumber. */
export const StreamState = {
  /** Given or adopted at a Hello; the device has not used it yet [P-6]. */
  offered: 0,
  /** The device has sent under it. */
  used: 1,
  /** A later epoch was used: never resumed again [P-6]. */
  retired: 2,
} as const;
export type StreamState = (typeof StreamState)[keyof typeof StreamState];

/** One device's numbers under one epoch. Owned by the ledger, which changes it in place and puts it back. */
export interface StreamRow {
  readonly deviceKey: number;
  readonly epoch: number;
  /** The durable mark: everything up to here is stored, applied or a gap entry. */
  mark: number;
  /** The highest number the device is known to have given out. */
  announced: number;
  state: StreamState;
  /** The device said goodbye with nothing left to send, and has said nothing since. */
  isEnded: boolean;
  /** Set when this epoch was given because the device went back in time [P-7]; told once it is used. */
  rollback: Rollback | null;
}

/** What the device held under the epoch it went back in, and sends again under a new one [P-7]. */
export interface Rollback {
  readonly epoch: number;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What is known of a device from its sessions. */
export interface DeviceRow {
  /** Small, never reused; stands for the device in batches and rows. */
  readonly key: number;
  readonly device: string;
  readonly firmware: string;
  readonly model: string;
  readonly sleepMs: number;
  readonly lastSeenUnixMs: number;
  /** The epoch of the latest session. */
  readonly epoch: number;
  /** Row id of the catalog in force; 0: none. */
  readonly catalog: number;
  /** The highest command wire id ever given to it or heard from it [P-15]. */
  readonly lastWireId: number;
}

/** A record about to be stored. One object is filled again for every record: implementations copy its fields. */
export interface RecordDraft {
  deviceKey: number;
  epoch: number;
  seq: number;
  kind: RecordKind;
  accuracy: Accuracy;
  receivedUnixMs: number;
  baseUnixMs: number;
  catalog: number;
  /** CRC-32 of the body. */
  bodyCrc: number;
  /** Must stay as it is until the transaction ends. */
  body: Uint8Array;
}

/** A gap about to be stored. */
export interface GapDraft {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly fromSeq: number;
  /** null: unknown, the open end of an epoch. */
  readonly toSeq: number | null;
  readonly reason: GapReason;
  readonly atUnixMs: number;
  /** Set when only one sink missed them. */
  readonly sink: string | null;
}

export interface CatalogRow {
  readonly id: number;
  /** Every part is here. */
  readonly isComplete: boolean;
}

/** Records and streams: what must share a transaction with a mark. */
export interface StreamTables {
  device(device: string): DeviceRow | null;
  deviceByKey(key: number): DeviceRow | null;
  addDevice(device: string, atUnixMs: number): DeviceRow;
  /** Replace a device's row. */
  putDevice(row: DeviceRow): void;
  /** From now on the device's records carry this catalog. */
  setCatalog(deviceKey: number, catalog: number): void;

  stream(deviceKey: number, epoch: number): StreamRow | null;
  /** Every stream of a device that is not retired, oldest first. */
  openStreams(deviceKey: number): StreamRow[];
  /** Add or replace. */
  putStream(row: StreamRow): void;
  /** Was that epoch ever seen, for whichever device? */
  isEpochKnown(epoch: number): boolean;
  /** Forget the oldest rows of a device in that state beyond the newest `keepCount`. */
  pruneStreams(deviceKey: number, state: StreamState, keepCount: number): void;

  /** Returns the record's id: higher than every id before, also after a full drain. */
  addRecord(draft: RecordDraft): number;
  addGap(gap: GapDraft): void;
}

/** Catalogs by device and hash; parts arrive one by one. */
export interface CatalogTables {
  catalog(deviceKey: number, hash: number): CatalogRow | null;
  /** Store one part; the catalog's row is made with its first one. Returns the row as it is afterwards. */
  putCatalogPart(part: CatalogPart): CatalogRow;
}

export interface CatalogPart {
  readonly deviceKey: number;
  readonly hash: number;
  readonly part: number;
  /** How many parts make the whole, ≥ 1. */
  readonly parts: number;
  readonly atUnixMs: number;
  /** The Catalog message of this part, as received. */
  readonly body: Uint8Array;
}

/** Commands and the wire ids they were sent under. */
export interface CommandTables {
  command(commandId: string): CommandRecord | null;
  /** Add or replace. `deviceKey` is the command's device. */
  putCommand(deviceKey: number, command: CommandRecord): void;
  /** The command that was sent under a wire id, also an earlier one of several. */
  commandByWireId(deviceKey: number, wireId: number): CommandRecord | null;
  /** Remember it, and raise the device's `lastWireId` to it when it is higher. */
  addWireId(deviceKey: number, wireId: number, commandId: string): void;
  /** The newest command with that key made at or after `sinceUnixMs`. */
  commandByKey(deviceKey: number, idempotencyKey: string, sinceUnixMs: number): CommandRecord | null;
  openCommandCount(deviceKey: number): number;
  /** Commands that still wait for something to happen, oldest first. */
  openCommands(): CommandRecord[];
}

export interface SpoolTables extends StreamTables, CatalogTables, CommandTables {}

/** Still on its way: counts against the device's cap and is read at start. `unknown` is not: nothing waits for it. */
export function isOpenCommand(command: CommandRecord): boolean {
  return OPEN_STATES.has(command.state);
}

const OPEN_STATES: ReadonlySet<string> = new Set(["queued", "sent", "received", "started"]);
