/**
 * Where the gateway of a world keeps what must last: one home per world, which outlives every process, and one store
 * per process, opened in it. Two kinds: a simulated disk under the gateway's rules, and the gateway's own engine on
 * SQLite.
 */
import type { CommandRecord, CommandStore } from "tidegate/dist/model/command.js";
import type { Spool, SpoolReader } from "tidegate/dist/model/spool.js";
import type { GapDraft, StreamRow } from "tidegate/dist/spool/tables.js";
import type { ProcessClock } from "../process-clock.js";
import type { Seeded } from "../seeded.js";
import type { HitRecord } from "./bit-rot.js";

/** What a process asks of the spool. */
export type StoreSpool = Pick<
  Spool,
  "commit" | "hello" | "saveBootOffset" | "saveCursor" | "quarantine" | "requeue" | "settleRequeued" | "onSpace"
>;

/** What it reads of it. */
export type StoreReader = Pick<SpoolReader, "rendered" | "requeued" | "quarantined">;

/** The store as one process holds it. */
export interface WorldStore {
  readonly spool: StoreSpool;
  readonly commands: CommandStore;
  readonly reader: StoreReader;
  /** What the sink had taken when its cursor was last written. */
  cursorOf(sink: string): number;
  /** The process dies: nothing more is written or answered. */
  kill(): void;
}

export interface OpenParts {
  readonly clock: ProcessClock;
  readonly random: Seeded;
  /** Name of this boot of the machine. */
  readonly bootId: string;
  /** A transaction is on disk; told before anybody is answered. */
  readonly durable: () => void;
  /** fsync failed: the process ends. */
  readonly onFatal: () => void;
}

/** A record as the judge sees it. */
export interface DurableRecord {
  readonly id: number;
  readonly deviceKey: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: number;
  readonly bodyCrc: number;
}

/** What is durable, for the judge; everything ever stored, also what has left since. */
export interface DurableTables {
  readonly records: readonly DurableRecord[];
  readonly durableRecordCount: number;
  readonly gaps: readonly GapDraft[];
  /** By deviceKey · 2^32 + epoch. */
  readonly streams: ReadonlyMap<number, Readonly<StreamRow>>;
  /** What the last transaction changed. */
  readonly touched: { readonly streams: ReadonlySet<number>; readonly commands: ReadonlySet<string> };
  device(device: string): { readonly key: number } | null;
  deviceByKey(key: number): { readonly device: string } | null;
  command(commandId: string): CommandRecord | null;
}

/** One per world. */
export interface StoreHome {
  readonly tables: DurableTables;
  /** Id of the newest durable record. */
  readonly lastRecordId: number;
  open(parts: OpenParts): Promise<WorldStore>;
  /** Copy what is there. @returns false when this kind of home cannot. */
  backUp(): boolean;
  /** Put the copy back, while no process runs. @returns false when there is none. */
  restore(): boolean;
  /** A bit of what is stored flips. @returns the records that were hit; null: nothing is stored, or not in blocks. */
  rot(random: Seeded): readonly HitRecord[] | null;
  /** The world is over. */
  dispose(): void;
}
