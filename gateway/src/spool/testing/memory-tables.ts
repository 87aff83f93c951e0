/**
 * The spool's tables in memory: what SQLite does, as maps. For simulations and for the rules' own tests.
 *
 * A transaction keeps a snapshot of everything small and the length of what only grows, so that `transaction` undoes
 * all of it when its work throws.
 */
import type { CommandRecord } from "../../model/command.js";
import {
  type CatalogPart,
  type CatalogRow,
  type DeviceRow,
  type GapDraft,
  isOpenCommand,
  type RecordDraft,
  type SpoolTables,
  type StreamRow,
  StreamState,
} from "../tables.js";

export interface MemoryRecord extends RecordDraft {
  readonly id: number;
}

interface MemoryCatalog {
  readonly id: number;
  readonly parts: number;
  readonly bodies: ReadonlyMap<number, Uint8Array>;
}

interface State {
  devices: Map<string, DeviceRow>;
  streams: Map<string, StreamRow>;
  records: MemoryRecord[];
  gaps: GapDraft[];
  catalogs: Map<string, MemoryCatalog>;
  commands: Map<string, { readonly deviceKey: number; readonly command: CommandRecord }>;
  wires: Map<string, string>;
  nextDeviceKey: number;
  nextRecordId: number;
  nextCatalogId: number;
}

export class MemoryTables implements SpoolTables {
  #state: State = {
    devices: new Map(),
    streams: new Map(),
    records: [],
    gaps: [],
    catalogs: new Map(),
    commands: new Map(),
    wires: new Map(),
    nextDeviceKey: 1,
    nextRecordId: 1,
    nextCatalogId: 1,
  };

  get records(): readonly MemoryRecord[] {
    return this.#state.records;
  }

  get gaps(): readonly GapDraft[] {
    return this.#state.gaps;
  }

  /** All of the work or none of it. */
  transaction<T>(work: () => T): T {
    const before = copyOf(this.#state);
    try {
      return work();
    } catch (thrown) {
      this.#state = before;
      throw thrown;
    }
  }

  device(device: string): DeviceRow | null {
    return this.#state.devices.get(device) ?? null;
  }

  deviceByKey(key: number): DeviceRow | null {
    for (const row of this.#state.devices.values()) if (row.key === key) return row;
    return null;
  }

  addDevice(device: string, atUnixMs: number): DeviceRow {
    const key = this.#state.nextDeviceKey++;
    const numbers = { sleepMs: 0, lastSeenUnixMs: atUnixMs, epoch: 0, catalog: 0, lastWireId: 0 };
    const row: DeviceRow = { key, device, firmware: "", model: "", ...numbers };
    this.#state.devices.set(device, row);
    return row;
  }

  putDevice(row: DeviceRow): void {
    this.#state.devices.set(row.device, { ...row });
  }

  setCatalog(deviceKey: number, catalog: number): void {
    const row = this.deviceByKey(deviceKey);
    if (row !== null) this.putDevice({ ...row, catalog });
  }

  stream(deviceKey: number, epoch: number): StreamRow | null {
    const row = this.#state.streams.get(`${deviceKey}/${epoch}`);
    return row === undefined ? null : { ...row };
  }

  openStreams(deviceKey: number): StreamRow[] {
    const open = [...this.#state.streams.values()].filter(
      (row) => row.deviceKey === deviceKey && row.state !== StreamState.retired,
    );
    return open.map((row) => ({ ...row }));
  }

  putStream(row: StreamRow): void {
    this.#state.streams.set(`${row.deviceKey}/${row.epoch}`, { ...row });
  }

  isEpochKnown(epoch: number): boolean {
    return [...this.#state.streams.values()].some((row) => row.epoch === epoch);
  }

  pruneStreams(deviceKey: number, state: StreamState, keepCount: number): void {
    const rows = [...this.#state.streams].filter(([, row]) => row.deviceKey === deviceKey && row.state === state);
    for (const [key] of rows.slice(0, Math.max(0, rows.length - keepCount))) this.#state.streams.delete(key);
  }

  addRecord(draft: RecordDraft): number {
    const id = this.#state.nextRecordId++;
    this.#state.records.push({ ...draft, id, body: draft.body.slice() });
    return id;
  }

  addGap(gap: GapDraft): void {
    this.#state.gaps.push(gap);
  }

  catalog(deviceKey: number, hash: number): CatalogRow | null {
    const row = this.#state.catalogs.get(`${deviceKey}/${hash}`);
    return row === undefined ? null : { id: row.id, isComplete: row.bodies.size === row.parts };
  }

  putCatalogPart(part: CatalogPart): CatalogRow {
    const key = `${part.deviceKey}/${part.hash}`;
    for (const [other, row] of this.#state.catalogs) {
      const isPartial = row.bodies.size < row.parts;
      const isOther = other !== key || row.parts !== part.parts;
      if (other.startsWith(`${part.deviceKey}/`) && isPartial && isOther) this.#state.catalogs.delete(other);
    }
    const known = this.#state.catalogs.get(key);
    const bodies = new Map(known?.bodies).set(part.part, part.body.slice());
    const row = { id: known?.id ?? this.#state.nextCatalogId++, parts: part.parts, bodies };
    this.#state.catalogs.set(key, row);
    return { id: row.id, isComplete: bodies.size === part.parts };
  }

  command(commandId: string): CommandRecord | null {
    return this.#state.commands.get(commandId)?.command ?? null;
  }

  putCommand(deviceKey: number, command: CommandRecord): void {
    this.#state.commands.set(command.commandId, { deviceKey, command });
  }

  commandByWireId(deviceKey: number, wireId: number): CommandRecord | null {
    const commandId = this.#state.wires.get(`${deviceKey}/${wireId}`);
    return commandId === undefined ? null : this.command(commandId);
  }

  addWireId(deviceKey: number, wireId: number, commandId: string): void {
    this.#state.wires.set(`${deviceKey}/${wireId}`, commandId);
    const row = this.deviceByKey(deviceKey);
    if (row !== null && row.lastWireId < wireId) this.putDevice({ ...row, lastWireId: wireId });
  }

  commandByKey(deviceKey: number, idempotencyKey: string, sinceUnixMs: number): CommandRecord | null {
    const found = [...this.#state.commands.values()].filter(
      (row) =>
        row.deviceKey === deviceKey &&
        row.command.idempotencyKey === idempotencyKey &&
        row.command.createdUnixMs >= sinceUnixMs,
    );
    return found.at(-1)?.command ?? null;
  }

  openCommandCount(deviceKey: number): number {
    const rows = [...this.#state.commands.values()];
    return rows.filter((row) => row.deviceKey === deviceKey && isOpenCommand(row.command)).length;
  }

  openCommands(): CommandRecord[] {
    return [...this.#state.commands.values()].map(({ command }) => command).filter(isOpenCommand);
  }
}

function copyOf(state: State): State {
  return {
    ...state,
    devices: new Map(state.devices),
    streams: new Map(state.streams),
    records: state.records.slice(),
    gaps: state.gaps.slice(),
    catalogs: new Map(state.catalogs),
    commands: new Map(state.commands),
    wires: new Map(state.wires),
  };
}
