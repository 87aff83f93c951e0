/**
 * The tables `commands` and `command_wires`.
 */
import type { Database, Statement } from "better-sqlite3";
import type { CommandRecord, CommandState, Delivery } from "../model/command.js";
import { isOpenCommand } from "../spool/tables.js";

/** Newest commands that stay, finished or not: a count and no age, because no clock that jumps may forget any. */
const COMMANDS_KEPT = 20_000;

/** Rows removed per call: bounds how long a commit waits for it. */
const PRUNE_ROWS = 500;

/** A row as SQLite gives it. */
export interface CommandRow {
  id: number;
  command_id: string;
  device: string;
  name: string;
  args: string;
  delivery: Delivery;
  state: CommandState;
  source: string;
  ttl_ms: number;
  created_ms: number;
  deadline_mono_ms: number;
  boot_id: string;
  wire_id: number;
  wire_epoch: number;
  transmissions: number;
  updated_ms: number;
  result: string | null;
  error: string | null;
  idempotency_key: string | null;
  response_topic: string | null;
  correlation: string | null;
}

/** Every query on commands begins so. */
export const SELECT_COMMAND = "SELECT c.*, d.device FROM commands c JOIN devices d ON d.key = c.device_key";

const COLUMNS = [
  "command_id",
  "device_key",
  "name",
  "args",
  "delivery",
  "state",
  "open",
  "source",
  "ttl_ms",
  "created_ms",
  "deadline_mono_ms",
  "boot_id",
  "wire_id",
  "wire_epoch",
  "transmissions",
  "updated_ms",
  "result",
  "error",
  "idempotency_key",
  "response_topic",
  "correlation",
];

/** Queries on commands and their wire ids; inside a transaction of the caller. */
export class CommandsTable {
  readonly #get: Statement<[string], CommandRow>;
  readonly #put: Statement<unknown[]>;
  readonly #byWire: Statement<[number, number], CommandRow>;
  readonly #addWire: Statement<[number, number, string]>;
  readonly #byKey: Statement<[number, string, number], CommandRow>;
  readonly #openCount: Statement<[number], { count: number }>;
  readonly #open: Statement<[], CommandRow>;
  readonly #prune: Statement<[number]>;
  readonly #newest: Statement<[], { id: number | null }>;

  constructor(db: Database) {
    this.#get = db.prepare(`${SELECT_COMMAND} WHERE c.command_id = ?`);
    const updates = COLUMNS.slice(1).map((column) => `${column} = excluded.${column}`);
    this.#put = db.prepare(
      `INSERT INTO commands (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
       ON CONFLICT (command_id) DO UPDATE SET ${updates.join(", ")}`,
    );
    this.#byWire = db.prepare(
      `${SELECT_COMMAND} WHERE c.id = (SELECT command FROM command_wires WHERE device_key = ? AND wire_id = ?)`,
    );
    this.#addWire = db.prepare(
      `INSERT OR REPLACE INTO command_wires (device_key, wire_id, command)
       VALUES (?, ?, (SELECT id FROM commands WHERE command_id = ?))`,
    );
    this.#byKey = db.prepare(
      `${SELECT_COMMAND} WHERE c.device_key = ? AND c.idempotency_key = ? AND c.created_ms >= ?
       ORDER BY c.id DESC LIMIT 1`,
    );
    this.#openCount = db.prepare("SELECT count(*) AS count FROM commands WHERE device_key = ? AND open = 1");
    this.#open = db.prepare(`${SELECT_COMMAND} WHERE c.open = 1 ORDER BY c.id`);
    this.#newest = db.prepare("SELECT max(id) AS id FROM commands");
    this.#prune = db.prepare(
      `DELETE FROM commands WHERE id IN (SELECT id FROM commands ORDER BY id LIMIT ${PRUNE_ROWS})
         AND open = 0 AND id <= ?`,
    );
  }

  get(commandId: string): CommandRecord | null {
    return orNull(this.#get.get(commandId));
  }

  put(deviceKey: number, command: CommandRecord): void {
    this.#put.run(
      command.commandId,
      deviceKey,
      command.name,
      command.args,
      command.delivery,
      command.state,
      isOpenCommand(command) ? 1 : 0,
      command.source,
      command.ttlMs,
      command.createdUnixMs,
      command.deadlineMonoMs,
      command.bootId,
      command.wireId,
      command.wireEpoch,
      command.transmissions,
      command.updatedUnixMs,
      command.result,
      command.error,
      command.idempotencyKey,
      command.responseTopic,
      command.correlation,
    );
  }

  byWireId(deviceKey: number, wireId: number): CommandRecord | null {
    return orNull(this.#byWire.get(deviceKey, wireId));
  }

  addWireId(deviceKey: number, wireId: number, commandId: string): void {
    this.#addWire.run(deviceKey, wireId, commandId);
  }

  byKey(deviceKey: number, idempotencyKey: string, sinceUnixMs: number): CommandRecord | null {
    return orNull(this.#byKey.get(deviceKey, idempotencyKey, sinceUnixMs));
  }

  openCount(deviceKey: number): number {
    return this.#openCount.get(deviceKey)?.count ?? 0;
  }

  open(): CommandRecord[] {
    return this.#open.all().map(commandOf);
  }

  /** Forget some of the oldest finished commands; called now and then. @returns how many went. */
  prune(): number {
    const newest = this.#newest.get()?.id ?? 0;
    return newest <= COMMANDS_KEPT ? 0 : this.#prune.run(newest - COMMANDS_KEPT).changes;
  }
}

function orNull(row: CommandRow | undefined): CommandRecord | null {
  return row === undefined ? null : commandOf(row);
}

/** A row as the rest of the gateway knows a command. */
export function commandOf(row: CommandRow): CommandRecord {
  return {
    commandId: row.command_id,
    device: row.device,
    name: row.name,
    args: row.args,
    delivery: row.delivery,
    state: row.state,
    source: row.source,
    ttlMs: row.ttl_ms,
    createdUnixMs: row.created_ms,
    deadlineMonoMs: row.deadline_mono_ms,
    bootId: row.boot_id,
    wireId: row.wire_id,
    wireEpoch: row.wire_epoch,
    transmissions: row.transmissions,
    updatedUnixMs: row.updated_ms,
    result: row.result,
    error: row.error,
    idempotencyKey: row.idempotency_key,
    responseTopic: row.response_topic,
    correlation: row.correlation,
  };
}
