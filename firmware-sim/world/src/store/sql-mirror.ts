/**
 * What is durable in a spool.db, read off it by a connection of its own after every transaction, and kept: records that
 * have left the spool stay known here.
 */
import { crc32 } from "@tidegate/proto";
import Database from "better-sqlite3";
import type { CommandRecord } from "tidegate/dist/model/command.js";
import type { GapDraft, StreamRow, StreamState } from "tidegate/dist/spool/tables.js";
import { type CommandRow, commandOf, SELECT_COMMAND } from "tidegate/dist/storage/commands-table.js";
import { RecordReader } from "tidegate/dist/storage/record-reader.js";
import type { DurableRecord, DurableTables } from "./world-store.js";

interface GapRow extends GapDraft {
  readonly id: number;
}

interface MarkRow {
  readonly deviceKey: number;
  readonly epoch: number;
  readonly mark: number;
  readonly announced: number;
  readonly state: StreamState;
}

const ROWS_AT_ONCE = 500;
const FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "expired", "cancelled"]);

/** One per incarnation of the store: a restored one gets another. */
export class SqlMirror implements DurableTables {
  readonly records: DurableRecord[] = [];
  readonly gaps: GapDraft[] = [];
  readonly streams = new Map<number, Readonly<StreamRow>>();
  readonly touched = { streams: new Set<number>(), commands: new Set<string>() };
  readonly #commands = new Map<string, CommandRecord>();
  readonly #openCommands = new Set<string>();
  readonly #names = new Map<number, string>();
  readonly #keys = new Map<string, number>();
  #db: Database.Database | null = null;
  #reader: RecordReader | null = null;
  #version = -1;
  #lastRecordId = 0;
  #lastGapId = 0;
  #lastCommandRow = 0;

  /** The file was opened by a process: look at it from now on. */
  attach(path: string): void {
    this.detach();
    this.#db = new Database(path, { readonly: true, fileMustExist: true });
    this.#reader = new RecordReader(this.#db);
    this.#version = -1;
  }

  detach(): void {
    this.#db?.close();
    this.#db = null;
  }

  get durableRecordCount(): number {
    return this.records.length;
  }

  get lastRecordId(): number {
    return this.#lastRecordId;
  }

  device(device: string): { readonly key: number } | null {
    const key = this.#keys.get(device);
    return key === undefined ? null : { key };
  }

  deviceByKey(key: number): { readonly device: string } | null {
    const device = this.#names.get(key);
    return device === undefined ? null : { device };
  }

  command(commandId: string): CommandRecord | null {
    return this.#commands.get(commandId) ?? null;
  }

  /** @returns whether a transaction was committed since the last look. */
  refresh(): boolean {
    const db = this.#db;
    if (db === null) return false;
    const version = Number(db.pragma("data_version", { simple: true }));
    if (version === this.#version) return false;
    this.#version = version;
    this.touched.streams.clear();
    this.touched.commands.clear();
    this.#readDevices(db);
    this.#readStreams(db);
    this.#readRecords();
    this.#readGaps(db);
    this.#readCommands(db);
    return true;
  }

  #readDevices(db: Database.Database): void {
    const rows = db.prepare<[number], { key: number; device: string }>("SELECT key, device FROM devices WHERE key > ?");
    for (const { key, device } of rows.all(this.#names.size)) {
      this.#names.set(key, device);
      this.#keys.set(device, key);
    }
  }

  #readStreams(db: Database.Database): void {
    const columns = "device_key AS deviceKey, epoch, mark, announced, state";
    for (const row of db.prepare<[], MarkRow>(`SELECT ${columns} FROM streams`).all()) {
      const key = row.deviceKey * 2 ** 32 + row.epoch;
      const before = this.streams.get(key);
      const isSame = before?.mark === row.mark && before.announced === row.announced && before.state === row.state;
      if (isSame) continue;
      this.streams.set(key, { ...row, isEnded: false, rollback: null });
      this.touched.streams.add(key);
    }
  }

  #readRecords(): void {
    for (;;) {
      const damaged: number[] = [];
      const slice = this.#reader?.read(this.#lastRecordId, ROWS_AT_ONCE, damaged);
      if (slice === undefined || slice.scannedToId === this.#lastRecordId) return;
      for (const { id, device, epoch, seq, kind, body } of slice.records) {
        this.records.push({ id, deviceKey: this.#keys.get(device) ?? 0, epoch, seq, kind, bodyCrc: crc32(body) });
      }
      this.#lastRecordId = slice.scannedToId;
    }
  }

  #readGaps(db: Database.Database): void {
    const columns =
      "id, device_key AS deviceKey, epoch, from_seq AS fromSeq, to_seq AS toSeq, reason, at_ms AS atUnixMs, sink";
    const rows = db.prepare<[number], GapRow>(`SELECT ${columns} FROM gaps WHERE id > ? ORDER BY id`);
    for (const gap of rows.all(this.#lastGapId)) {
      this.#lastGapId = gap.id;
      this.gaps.push(gap);
    }
  }

  /** New ones, and those that may still move. */
  #readCommands(db: Database.Database): void {
    const fresh = db.prepare<[number], CommandRow>(`${SELECT_COMMAND} WHERE c.id > ? ORDER BY c.id`);
    for (const row of fresh.all(this.#lastCommandRow)) {
      this.#lastCommandRow = row.id;
      this.#command(commandOf(row));
    }
    const one = db.prepare<[string], CommandRow>(`${SELECT_COMMAND} WHERE c.command_id = ?`);
    for (const commandId of [...this.#openCommands]) {
      const row = one.get(commandId);
      if (row !== undefined) this.#command(commandOf(row));
    }
  }

  #command(command: CommandRecord): void {
    const { commandId, state } = command;
    if (this.#commands.get(commandId)?.state === state) return;
    this.#commands.set(commandId, command);
    this.touched.commands.add(commandId);
    if (FINAL.has(state)) this.#openCommands.delete(commandId);
    else this.#openCommands.add(commandId);
  }
}
