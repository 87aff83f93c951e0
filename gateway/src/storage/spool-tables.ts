/**
 * The spool's tables on SQLite, as its rules see them (spool/tables.ts).
 */
import type { Database } from "better-sqlite3";
import type { CommandRecord } from "../model/command.js";
import type {
  CatalogPart,
  CatalogRow,
  DeviceRow,
  GapDraft,
  RecordDraft,
  SpoolTables,
  StreamRow,
  StreamState,
} from "../spool/tables.js";
import { CatalogsTable } from "./catalogs-table.js";
import { CommandsTable } from "./commands-table.js";
import { CursorsTable } from "./cursors-table.js";
import { DevicesTable } from "./devices-table.js";
import { GapsTable } from "./gaps-table.js";
import { QuarantineTable } from "./quarantine-table.js";
import { RecordsTable } from "./records-table.js";
import { StreamsTable } from "./streams-table.js";

/** Called before every write: a test makes the k-th one fail. */
export type WriteFault = () => void;

/** All tables of spool.db over one connection; see spool/tables.ts for what each call promises. */
export class SqlSpoolTables implements SpoolTables {
  readonly records: RecordsTable;
  readonly streams: StreamsTable;
  readonly devices: DevicesTable;
  readonly catalogs: CatalogsTable;
  readonly gaps: GapsTable;
  readonly quarantine: QuarantineTable;
  readonly cursors: CursorsTable;
  readonly commands: CommandsTable;
  readonly #fault: WriteFault | undefined;

  constructor(db: Database, fault?: WriteFault) {
    this.records = new RecordsTable(db);
    this.streams = new StreamsTable(db);
    this.devices = new DevicesTable(db);
    this.catalogs = new CatalogsTable(db);
    this.gaps = new GapsTable(db);
    this.quarantine = new QuarantineTable(db);
    this.cursors = new CursorsTable(db);
    this.commands = new CommandsTable(db);
    this.#fault = fault;
  }

  device(device: string): DeviceRow | null {
    return this.devices.byName(device);
  }

  deviceByKey(key: number): DeviceRow | null {
    return this.devices.byKey(key);
  }

  addDevice(device: string, atUnixMs: number): DeviceRow {
    this.#fault?.();
    return this.devices.add(device, atUnixMs);
  }

  putDevice(row: DeviceRow): void {
    this.#fault?.();
    this.records.flush(); // leaving a catalog, the table notes which record was the last to use it
    this.devices.put(row);
  }

  setCatalog(deviceKey: number, catalog: number): void {
    this.#fault?.();
    this.records.flush();
    this.devices.setCatalog(deviceKey, catalog);
  }

  stream(deviceKey: number, epoch: number): StreamRow | null {
    return this.streams.get(deviceKey, epoch);
  }

  openStreams(deviceKey: number): StreamRow[] {
    return this.streams.open(deviceKey);
  }

  putStream(row: StreamRow): void {
    this.#fault?.();
    this.streams.put(row);
  }

  isEpochKnown(epoch: number): boolean {
    return this.streams.isEpochKnown(epoch);
  }

  pruneStreams(deviceKey: number, state: StreamState, keepCount: number): void {
    this.#fault?.();
    this.streams.prune(deviceKey, state, keepCount);
  }

  addRecord(draft: RecordDraft): number {
    this.#fault?.();
    return this.records.append(draft);
  }

  addGap(gap: GapDraft): void {
    this.#fault?.();
    this.gaps.add(gap);
  }

  catalog(deviceKey: number, hash: number): CatalogRow | null {
    return this.catalogs.get(deviceKey, hash);
  }

  putCatalogPart(part: CatalogPart): CatalogRow {
    this.#fault?.();
    this.records.flush(); // what is stored decides which catalogs are still needed
    return this.catalogs.putPart(part);
  }

  command(commandId: string): CommandRecord | null {
    return this.commands.get(commandId);
  }

  putCommand(deviceKey: number, command: CommandRecord): void {
    this.#fault?.();
    this.commands.put(deviceKey, command);
  }

  commandByWireId(deviceKey: number, wireId: number): CommandRecord | null {
    return this.commands.byWireId(deviceKey, wireId);
  }

  addWireId(deviceKey: number, wireId: number, commandId: string): void {
    this.#fault?.();
    this.commands.addWireId(deviceKey, wireId, commandId);
    this.devices.raiseWireId(deviceKey, wireId);
  }

  commandByKey(deviceKey: number, idempotencyKey: string, sinceUnixMs: number): CommandRecord | null {
    return this.commands.byKey(deviceKey, idempotencyKey, sinceUnixMs);
  }

  openCommandCount(deviceKey: number): number {
    return this.commands.openCount(deviceKey);
  }

  openCommands(): CommandRecord[] {
    return this.commands.open();
  }
}
