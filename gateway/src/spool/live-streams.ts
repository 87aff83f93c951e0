/**
 * The streams in use, kept in memory between batches: their rows, the digests of their last numbers, and the catalog
 * in force for each device. What a transaction changes is dirty until the transaction is durable.
 *
 *   tables ──get──▶ clean ──markDirty──▶ dirty ──committed──▶ clean
 *                     ▲                    └──rolledBack──▶ forgotten, read again when needed
 */
import { DigestWindow } from "./digests.js";
import type { SpoolTables, StreamRow } from "./tables.js";

export interface LiveStream {
  readonly key: number;
  readonly row: StreamRow;
  /** Shared by the device's streams. */
  readonly device: LiveDevice;
  readonly digests: DigestWindow;
  /** Changed since the last commit. */
  dirty: boolean;
}

export interface LiveDevice {
  /** Row id of the catalog in force. */
  catalog: number;
}

/** Streams kept; beyond it the clean ones are forgotten and read again when needed. */
const STREAMS_MAX = 65_536;

/** The streams in use, by device key and epoch; bounded, and never ahead of the tables after a rollback. */
export class LiveStreams {
  readonly #tables: SpoolTables;
  readonly #windowDigests: number;
  /** By deviceKey · 2^32 + epoch. */
  readonly #streams = new Map<number, LiveStream>();
  readonly #devices = new Map<number, LiveDevice>();
  #dirty: LiveStream[] = [];

  constructor(tables: SpoolTables, windowDigests: number) {
    this.#tables = tables;
    this.#windowDigests = windowDigests;
  }

  /** Streams changed in this transaction, in the order of their first change. */
  get dirty(): readonly LiveStream[] {
    return this.#dirty;
  }

  /** null when the tables do not know the stream. */
  get(deviceKey: number, epoch: number): LiveStream | null {
    const key = streamKey(deviceKey, epoch);
    const live = this.#streams.get(key);
    if (live !== undefined) return live;
    const row = this.#tables.stream(deviceKey, epoch);
    const device = row === null ? null : this.#device(deviceKey);
    if (row === null || device === null) return null;
    if (this.#streams.size >= STREAMS_MAX) this.#shrink();
    const made = { key, row, device, digests: new DigestWindow(this.#windowDigests), dirty: false };
    this.#streams.set(key, made);
    return made;
  }

  markDirty(stream: LiveStream): void {
    if (stream.dirty) return;
    stream.dirty = true;
    this.#dirty.push(stream);
  }

  /** A stream's row was put into the tables by somebody else: follow it, if the stream is in use. */
  changed(row: StreamRow): void {
    const live = this.#streams.get(streamKey(row.deviceKey, row.epoch));
    if (live === undefined) return;
    this.markDirty(live);
    Object.assign(live.row, row);
  }

  catalogChanged(deviceKey: number, catalog: number): void {
    const device = this.#devices.get(deviceKey);
    if (device !== undefined) device.catalog = catalog;
  }

  committed(): void {
    for (const stream of this.#dirty) stream.dirty = false;
    this.#dirty = [];
  }

  rolledBack(): void {
    for (const stream of this.#dirty) this.#streams.delete(stream.key);
    this.#dirty = [];
    // These objects are shared with streams that stay: they must not keep a catalog that was undone.
    for (const [deviceKey, device] of this.#devices) {
      device.catalog = this.#tables.deviceByKey(deviceKey)?.catalog ?? 0;
    }
  }

  #device(deviceKey: number): LiveDevice | null {
    const known = this.#devices.get(deviceKey);
    if (known !== undefined) return known;
    const row = this.#tables.deviceByKey(deviceKey);
    if (row === null) return null;
    const made: LiveDevice = { catalog: row.catalog };
    this.#devices.set(deviceKey, made);
    return made;
  }

  #shrink(): void {
    for (const [key, live] of this.#streams) if (!live.dirty) this.#streams.delete(key);
    this.#devices.clear();
    for (const live of this.#streams.values()) this.#devices.set(live.row.deviceKey, live.device);
  }
}

/** Exact: device keys stay far below 2^21. */
function streamKey(deviceKey: number, epoch: number): number {
  return deviceKey * 2 ** 32 + epoch;
}
