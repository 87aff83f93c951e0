/**
 * The reading side of the spool: slices for sinks and viewers, and the lists. Runs in the reader worker on a read-only
 * connection; nothing here can delay a commit or change a row.
 */
import type { Catalog } from "@tidegate/proto";
import Database from "better-sqlite3";
import type { Clock } from "../core/clock.js";
import type { CommandRecord } from "../model/command.js";
import type { Gap, StoredRecord } from "../model/record.js";
import type {
  CommandQuery,
  DeviceFacts,
  GapQuery,
  LiveEvent,
  LiveSlice,
  LiveText,
  QuarantinedRecord,
  RenderedSlice,
  RequeuedRecord,
} from "../model/spool.js";
import { LatestFold } from "../telemetry/latest-fold.js";
import { type CommandRow, commandOf, SELECT_COMMAND } from "./commands-table.js";
import { suspect } from "./database.js";
import { RecordReader } from "./record-reader.js";
import { type RenderedMessage, SliceBuilder } from "./slice-builder.js";
import type { WithDamage } from "./worker-protocol.js";

/** What the reader needs of the renderer in `telemetry/`. */
export interface RecordRenderer {
  render(record: StoredRecord, catalog: Catalog | null): RenderedMessage | null;
  live(record: StoredRecord, catalog: Catalog | null): LiveEvent | null;
  /** The same as JSON text. */
  liveJson(event: LiveEvent, record: StoredRecord, catalog: Catalog | null): string;
}

/** Longest slice, in rows and in time. */
const SLICE_ROWS_MAX = 2_000;
const SLICE_MS_MAX = 50;

/** Rows per query inside a slice: after each the time is looked at. */
const CHUNK_ROWS = 250;

/** Rendered bytes that end a slice early. */
const SLICE_BYTES_MAX = 4 * 1024 * 1024;

const LIST_ROWS_MAX = 10_000;

/** Messages handed over at once, each up to some hundred KB. */
const REQUEUED_MAX = 64;

type QuarantinedRow = Omit<QuarantinedRecord, "state" | "canRequeue"> & { state: number; isKept: number };

const STATE_NAMES = ["aside", "requeued", "delivered"] as const;

interface DeviceFactsRow {
  device: string;
  deviceKey: number;
  firmware: string;
  model: string;
  sleepMs: number;
  lastSeenUnixMs: number;
  epoch: number;
  ackedSeq: number;
  catalog: number;
}

/** Reads the spool on a connection of its own, which it closes in `close`. Throws what SQLite throws. */
export class Reader {
  readonly #db: Database.Database;
  readonly #records: RecordReader;
  readonly #renderer: RecordRenderer;
  readonly #clock: Clock;

  /** @param path of spool.db, which the storage worker has opened already. */
  constructor(path: string, renderer: RecordRenderer, clock: Clock) {
    this.#db = new Database(path, { readonly: true, fileMustExist: true, timeout: 1_000 });
    this.#records = new RecordReader(this.#db);
    this.#renderer = renderer;
    this.#clock = clock;
  }

  rendered(afterId: number, rowsMax: number): WithDamage<RenderedSlice> {
    const limit = clamp(rowsMax, SLICE_ROWS_MAX);
    const builder = new SliceBuilder(limit);
    const { scannedToId, more, damagedIds } = this.#walk(afterId, limit, (record, catalog) => {
      const message = this.#renderer.render(record, catalog);
      if (message !== null) builder.add(record, message);
      return builder.usedBytes < SLICE_BYTES_MAX;
    });
    return { slice: builder.finish(scannedToId, more), damagedIds };
  }

  live(afterId: number, rowsMax: number): WithDamage<LiveSlice> {
    return this.#liveSlice(afterId, rowsMax, true);
  }

  /** As `live`, without a text for each event. */
  latest(afterId: number, rowsMax: number): WithDamage<LiveSlice> {
    return this.#liveSlice(afterId, rowsMax, false);
  }

  #liveSlice(afterId: number, rowsMax: number, withTexts: boolean): WithDamage<LiveSlice> {
    const fold = new LatestFold();
    const texts: LiveText[] = [];
    const { oldestId } = this.#records.bounds();
    const { scannedToId, more, damagedIds } = this.#walk(afterId, clamp(rowsMax, SLICE_ROWS_MAX), (record, catalog) => {
      const event = this.#renderer.live(record, catalog);
      if (event === null) return true;
      fold.add(event);
      if (withTexts) texts.push({ id: event.id, json: this.#renderer.liveJson(event, record, catalog) });
      return true;
    });
    const missed = oldestId > afterId + 1;
    return { slice: { scannedToId, more, newest: fold.events(), texts, missed }, damagedIds };
  }

  /** Gap entries after an id, oldest first. */
  gaps(query: GapQuery): Gap[] {
    const where = query.device === undefined ? "" : "AND d.device = $device";
    const rows = this.#db
      .prepare<[{ after: number; device: string; limit: number }], Gap>(
        `SELECT g.id, d.device, g.epoch, g.from_seq AS fromSeq, g.to_seq AS toSeq, g.reason, g.at_ms AS atUnixMs, g.sink
         FROM gaps g JOIN devices d ON d.key = g.device_key WHERE g.id > $after ${where} ORDER BY g.id LIMIT $limit`,
      )
      .all({ after: query.afterId ?? 0, device: query.device ?? "", limit: clamp(query.limit, LIST_ROWS_MAX) });
    return rows;
  }

  /** Commands, newest first. */
  commands(query: CommandQuery): CommandRecord[] {
    const terms = [
      query.device === undefined ? "" : "d.device = $device",
      query.state === undefined ? "" : "c.state = $state",
    ];
    const where = terms.filter((term) => term !== "").join(" AND ");
    return this.#db
      .prepare<[{ device: string; state: string; limit: number }], CommandRow>(
        `${SELECT_COMMAND} ${where === "" ? "" : `WHERE ${where}`} ORDER BY c.id DESC LIMIT $limit`,
      )
      .all({ device: query.device ?? "", state: query.state ?? "", limit: clamp(query.limit, 1_000) })
      .map(commandOf);
  }

  command(commandId: string): CommandRecord | null {
    const row = this.#db.prepare<[string], CommandRow>(`${SELECT_COMMAND} WHERE c.command_id = ?`).get(commandId);
    return row === undefined ? null : commandOf(row);
  }

  /** Quarantined records, newest first; all sinks' when `sink` is null. */
  quarantined(sink: string | null, limit: number): QuarantinedRecord[] {
    return this.#db
      .prepare<[{ sink: string | null; limit: number }], QuarantinedRow>(
        `SELECT q.record_id AS recordId, q.sink, coalesce(d.device, '(unknown)') AS device, q.epoch, q.seq, q.reason,
                q.at_ms AS atUnixMs, q.state, q.payload IS NOT NULL AS isKept
         FROM quarantine q LEFT JOIN devices d ON d.key = q.device_key
         WHERE $sink IS NULL OR q.sink = $sink ORDER BY q.id DESC LIMIT $limit`,
      )
      .all({ sink, limit: clamp(limit, LIST_ROWS_MAX) })
      .map(({ state, isKept, ...record }) => {
        const name = STATE_NAMES[state] ?? "aside";
        return { ...record, state: name, canRequeue: isKept === 1 && name === "aside" };
      });
  }

  /** What a sink is to try again, the longest aside first. */
  requeued(sink: string, limit: number): RequeuedRecord[] {
    return this.#db
      .prepare<[string, number], RequeuedRecord>(
        `SELECT record_id AS recordId, topic, payload FROM quarantine
         WHERE sink = ? AND state = 1 AND payload IS NOT NULL ORDER BY id LIMIT ?`,
      )
      .all(sink, clamp(limit, REQUEUED_MAX));
  }

  /** @param names only these; null: all */
  devices(names: readonly string[] | null): DeviceFacts[] {
    return this.#db
      .prepare<{ names: string | null }, DeviceFactsRow>(
        `SELECT d.device, d.key AS deviceKey, d.firmware, d.model, d.sleep_ms AS sleepMs,
                d.last_seen_ms AS lastSeenUnixMs, d.epoch, coalesce(s.mark, 0) AS ackedSeq, d.catalog
         FROM devices d LEFT JOIN streams s ON s.device_key = d.key AND s.epoch = d.epoch
         WHERE $names IS NULL OR d.device IN (SELECT value FROM json_each($names)) ORDER BY d.device`,
      )
      .all({ names: names === null ? null : JSON.stringify(names) })
      .map(({ catalog: catalogId, ...facts }) => {
        const catalog = this.#records.catalog(catalogId);
        const { signals, commands } = catalog ?? { signals: [], commands: [] };
        return { ...facts, catalog: catalog === null ? null : { signals, commands } };
      });
  }

  /** The file is damaged: its next opening checks all of it. */
  suspectDamage(): void {
    suspect(this.#db.name);
  }

  close(): void {
    this.#db.close();
  }

  /** Walk records until the limit, the time or `visit` says stop. */
  #walk(afterId: number, rowsMax: number, visit: (record: StoredRecord, catalog: Catalog | null) => boolean) {
    const damagedIds: number[] = [];
    const until = this.#clock.monoMs() + SLICE_MS_MAX;
    let scannedToId = afterId;
    let left = rowsMax;
    let isStopped = false;
    let isEmpty = false;
    while (left > 0 && !isStopped && !isEmpty) {
      const wanted = Math.min(left, CHUNK_ROWS);
      const chunk = this.#records.read(scannedToId, wanted, damagedIds);
      isEmpty = chunk.scannedToId === scannedToId;
      scannedToId = chunk.scannedToId;
      for (const record of chunk.records) {
        if (visit(record, this.#records.catalog(record.catalog))) continue;
        isStopped = true;
        scannedToId = record.id;
        break;
      }
      left -= wanted;
      if (this.#clock.monoMs() >= until) isStopped = true;
    }
    return { scannedToId, more: !isEmpty, damagedIds: damagedIds.filter((id) => id <= scannedToId) };
  }
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(1, Math.floor(value)), max);
}
