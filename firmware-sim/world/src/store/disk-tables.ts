/**
 * The spool's tables on a simulated disk: what is written in a transaction is volatile until the transaction is
 * durable, and a crash takes it back. Keeps the same contract as the tables on SQLite (the gateway's contract test).
 *
 *   ledger, command book ─▶ DiskTables ─▶ maps, with an undo log behind every change
 */
import type { CommandRecord } from "tidegate/dist/model/command.js";
import type { QuarantinedMessage, QuarantinedRecord } from "tidegate/dist/model/spool.js";
import {
  type CatalogPart,
  type CatalogRow,
  type DeviceRow,
  type GapDraft,
  isOpenCommand,
  type RecordDraft,
  type SpoolTables,
  StreamState as States,
  type StreamRow,
  type StreamState,
} from "tidegate/dist/spool/tables.js";
import { UndoLog } from "./undo-log.js";

export interface DiskRecord extends Readonly<RecordDraft> {
  readonly id: number;
}

interface DiskCatalog {
  readonly id: number;
  readonly deviceKey: number;
  readonly parts: number;
  readonly bodies: ReadonlyMap<number, Uint8Array>;
}

interface DiskCommand {
  readonly deviceKey: number;
  readonly command: CommandRecord;
}

/** A record that was refused. */
export interface AsideRow {
  readonly recordId: number;
  readonly reason: string;
  readonly message: QuarantinedMessage | null;
  readonly state: QuarantinedRecord["state"];
}

const keyOf = (high: number, low: number): number => high * 2 ** 32 + low;

/** The files of one store: at most one transaction is open at a time. */
export class DiskTables implements SpoolTables {
  readonly log = new UndoLog();
  readonly records: DiskRecord[] = [];
  readonly gaps: GapDraft[] = [];
  /** By deviceKey · 2^32 + epoch. */
  readonly streams = new Map<number, Readonly<StreamRow>>();
  readonly commands = new Map<string, DiskCommand>();
  readonly cursors = new Map<string, number>();
  /** What the one sink of this disk's worlds has aside, by record id. */
  readonly aside = new Map<number, AsideRow>();
  readonly #devices = new Map<number, DeviceRow>();
  readonly #keys = new Map<string, number>();
  readonly #catalogs = new Map<number, DiskCatalog>();
  readonly #wires = new Map<number, string>();
  #nextRecordId = 1;
  #nextCatalogId = 1;
  /** Called before every write; throws to make it fail. */
  fault: () => void = () => {};

  /** What the open transaction touched, for whoever looks at it when it is durable. */
  readonly touched = { streams: new Set<number>(), commands: new Set<string>() };

  /** Everything up to here is on disk: what a reader of the file sees. */
  durableRecordCount = 0;

  /** Everything of the open transaction stays. */
  durable(): void {
    this.log.durable();
    this.durableRecordCount = this.records.length;
  }

  /** Nothing of the open transaction was. */
  undo(): void {
    this.log.undo();
    this.touched.streams.clear();
    this.touched.commands.clear();
  }

  device(device: string): DeviceRow | null {
    return this.deviceByKey(this.#keys.get(device) ?? 0);
  }

  deviceByKey(key: number): DeviceRow | null {
    return this.#devices.get(key) ?? null;
  }

  addDevice(device: string, atUnixMs: number): DeviceRow {
    const key = this.#devices.size + 1;
    const numbers = { sleepMs: 0, lastSeenUnixMs: atUnixMs, epoch: 0, catalog: 0, lastWireId: 0 };
    const row: DeviceRow = { key, device, firmware: "", model: "", ...numbers };
    this.log.set(this.#keys, device, key);
    this.putDevice(row);
    return row;
  }

  putDevice(row: DeviceRow): void {
    this.fault();
    this.log.set(this.#devices, row.key, { ...row });
  }

  setCatalog(deviceKey: number, catalog: number): void {
    const row = this.deviceByKey(deviceKey);
    if (row !== null) this.putDevice({ ...row, catalog });
  }

  stream(deviceKey: number, epoch: number): StreamRow | null {
    const row = this.streams.get(keyOf(deviceKey, epoch));
    return row === undefined ? null : { ...row };
  }

  openStreams(deviceKey: number): StreamRow[] {
    return this.streamsOf(deviceKey)
      .filter((row) => row.state !== States.retired)
      .map((row) => ({ ...row }));
  }

  /** Every stream of a device that is not forgotten, oldest first. */
  streamsOf(deviceKey: number): Readonly<StreamRow>[] {
    return [...this.streams.values()].filter((row) => row.deviceKey === deviceKey);
  }

  putStream(row: StreamRow): void {
    this.fault();
    const key = keyOf(row.deviceKey, row.epoch);
    this.touched.streams.add(key);
    this.log.set(this.streams, key, { ...row });
  }

  isEpochKnown(epoch: number): boolean {
    return [...this.streams.values()].some((row) => row.epoch === epoch);
  }

  pruneStreams(deviceKey: number, state: StreamState, keepCount: number): void {
    const rows = this.streamsOf(deviceKey).filter((row) => row.state === state);
    for (const row of rows.slice(0, Math.max(0, rows.length - keepCount))) {
      this.log.delete(this.streams, keyOf(deviceKey, row.epoch));
    }
  }

  addRecord(draft: RecordDraft): number {
    this.fault();
    const id = this.#nextRecordId++;
    this.log.push(() => {
      this.#nextRecordId = id;
    });
    this.log.append(this.records, { ...draft, id, body: draft.body.slice() });
    return id;
  }

  addGap(gap: GapDraft): void {
    this.fault();
    this.log.append(this.gaps, gap);
  }

  catalog(deviceKey: number, hash: number): CatalogRow | null {
    const row = this.#catalogs.get(keyOf(deviceKey, hash));
    return row === undefined ? null : { id: row.id, isComplete: row.bodies.size === row.parts };
  }

  putCatalogPart(part: CatalogPart): CatalogRow {
    this.fault();
    const key = keyOf(part.deviceKey, part.hash);
    for (const [other, row] of [...this.#catalogs]) {
      const isPartial = row.deviceKey === part.deviceKey && row.bodies.size < row.parts;
      if (isPartial && (other !== key || row.parts !== part.parts)) this.log.delete(this.#catalogs, other);
    }
    const known = this.#catalogs.get(key);
    const bodies = new Map(known?.bodies).set(part.part, part.body.slice());
    const row = { id: known?.id ?? this.#nextCatalogId++, deviceKey: part.deviceKey, parts: part.parts, bodies };
    this.log.set(this.#catalogs, key, row);
    return { id: row.id, isComplete: bodies.size === row.parts };
  }

  /** The parts of a catalog by its row id, in order. */
  catalogParts(id: number): Uint8Array[] {
    for (const row of this.#catalogs.values()) {
      if (row.id === id) return [...row.bodies].sort(([a], [b]) => a - b).map(([, body]) => body);
    }
    return [];
  }

  putAside(row: AsideRow): void {
    this.fault();
    this.log.set(this.aside, row.recordId, row);
  }

  command(commandId: string): CommandRecord | null {
    return this.commands.get(commandId)?.command ?? null;
  }

  putCommand(deviceKey: number, command: CommandRecord): void {
    this.fault();
    this.touched.commands.add(command.commandId);
    this.log.set(this.commands, command.commandId, { deviceKey, command });
  }

  commandByWireId(deviceKey: number, wireId: number): CommandRecord | null {
    const commandId = this.#wires.get(keyOf(deviceKey, wireId));
    return commandId === undefined ? null : this.command(commandId);
  }

  addWireId(deviceKey: number, wireId: number, commandId: string): void {
    this.log.set(this.#wires, keyOf(deviceKey, wireId), commandId);
    const row = this.deviceByKey(deviceKey);
    if (row !== null && row.lastWireId < wireId) this.putDevice({ ...row, lastWireId: wireId });
  }

  commandByKey(deviceKey: number, idempotencyKey: string, sinceUnixMs: number): CommandRecord | null {
    const found = [...this.commands.values()].filter(
      ({ deviceKey: key, command }) =>
        key === deviceKey && command.idempotencyKey === idempotencyKey && command.createdUnixMs >= sinceUnixMs,
    );
    return found.at(-1)?.command ?? null;
  }

  openCommandCount(deviceKey: number): number {
    const rows = [...this.commands.values()];
    return rows.filter((row) => row.deviceKey === deviceKey && isOpenCommand(row.command)).length;
  }

  openCommands(): CommandRecord[] {
    return [...this.commands.values()].map(({ command }) => command).filter(isOpenCommand);
  }
}
