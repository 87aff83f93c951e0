/**
 * The spool's bookkeeping: what a batch or a Hello does to the tables. Every call runs inside one transaction of the
 * caller, who then says `committed` or `rolledBack`: after a rollback nothing of the attempt is left in memory either.
 *
 *   entry ─▶ admit(durable mark, seq, gap) ─▶ accept     record | catalog | command update, mark = seq
 *                                          │             and the gap below it, in the same transaction [P-2]
 *                                          ├▶ duplicate  compare digests: the same, or a conflict
 *                                          └▶ missing    dropped and counted: a batch before it failed
 *
 * The session has admitted each frame against its mark in memory; the durable mark has the last word here.
 */
import { type CommandUpdate, crc32, decodeBody, UplinkTag } from "@tidegate/proto";
import { GatewayError } from "../core/errors.js";
import { ACCEPT, admit, DUPLICATE } from "../model/admit.js";
import { type BatchEntry, BatchReader, EntryKind, FLAG_ENDED } from "../model/batch.js";
import type { CommandRecord } from "../model/command.js";
import { Accuracy, RecordKind, type ServiceBody } from "../model/record.js";
import type { GatherBatch, HelloOutcome, HelloRequest } from "../model/spool.js";
import { takeCatalogPart } from "./catalog-intake.js";
import { firstUse, openEpoch } from "./epochs.js";
import { writeGap } from "./gap-writer.js";
import { type LiveStream, LiveStreams } from "./live-streams.js";
import { type HelloDecision, resolveHello } from "./resume.js";
import { writeService } from "./service-writer.js";
import { type DeviceRow, type RecordDraft, type SpoolTables, type StreamRow, StreamState } from "./tables.js";

/** What one batch did. */
export interface BatchOutcome {
  storedCount: number;
  gapCount: number;
  duplicateCount: number;
  conflictCount: number;
  /** Entries that no longer fit their stream: the batch before theirs failed, or their link is superseded. */
  droppedCount: number;
  /** Bodies that could not be decoded although the walk let them in: a fault of ours; the number is taken. */
  unreadableCount: number;
  /** Id of the last record written; 0 when none was. */
  lastRecordId: number;
  readonly commands: CommandRecord[];
  /** Triplets deviceKey, epoch, mark: one per stream touched. */
  marks: Uint32Array;
}

export interface LedgerOptions {
  /** How many of a stream's last numbers are compared with repeats. */
  readonly windowDigests: number;
  /** A random number of 32 bits, for new epochs. */
  readonly draw: () => number;
}

/** The part of the command book that a batch needs. */
export interface UpdateBook {
  update(deviceKey: number, update: CommandUpdate, unixMs: number): CommandRecord | null;
}

const NO_BYTES = new Uint8Array(0);

/** Applies batches and Hellos to the tables; see the head of this file for its rules and its transaction. */
export class Ledger {
  readonly #tables: SpoolTables;
  readonly #book: UpdateBook;
  readonly #options: LedgerOptions;
  readonly #live: LiveStreams;
  #outcome = emptyOutcome();
  readonly #draft: RecordDraft = {
    deviceKey: 0,
    epoch: 0,
    seq: 0,
    kind: RecordKind.telemetry,
    accuracy: Accuracy.device,
    receivedUnixMs: 0,
    baseUnixMs: 0,
    catalog: 0,
    bodyCrc: 0,
    body: NO_BYTES,
  };

  constructor(tables: SpoolTables, book: UpdateBook, options: LedgerOptions) {
    this.#tables = tables;
    this.#book = book;
    this.#options = options;
    this.#live = new LiveStreams(tables, options.windowDigests);
  }

  /** Apply one batch. Inside the caller's transaction; throws only what the tables throw. */
  applyBatch(batch: GatherBatch): BatchOutcome {
    this.#outcome = emptyOutcome();
    const reader = new BatchReader(batch);
    while (reader.next()) this.#apply(reader);
    const { dirty } = this.#live;
    const marks = new Uint32Array(dirty.length * 3);
    let at = 0;
    for (const { row } of dirty) {
      this.#tables.putStream(row);
      marks[at] = row.deviceKey;
      marks[at + 1] = row.epoch;
      marks[at + 2] = row.mark;
      at += 3;
    }
    this.#outcome.marks = marks;
    return this.#outcome;
  }

  /**
   * Decide a new session's epoch and mark [P-4] … [P-9]. Inside the caller's transaction.
   *
   * Errors: E_BAD_REQUEST when the Hello contradicts itself.
   */
  hello(request: HelloRequest): Omit<HelloOutcome, "bootOffsets"> {
    const tables = this.#tables;
    const at = request.receivedUnixMs;
    const found = tables.device(request.deviceId);
    const known = found === null || request.epoch === 0 ? null : tables.stream(found.key, request.epoch);
    const decision = resolveHello(known, request);
    if (decision.type === "violation") throw new GatewayError("E_BAD_REQUEST", decision.why);
    const device = found ?? tables.addDevice(request.deviceId, at);
    const stream =
      decision.type === "fresh"
        ? openEpoch(tables, device.key, decision.rollback, this.#options.draw)
        : this.#resume(device, known, request, decision);
    const catalog = request.catalogHash === 0 ? null : tables.catalog(device.key, request.catalogHash);
    const isCatalogKnown = catalog?.isComplete === true;
    const facts = {
      firmware: request.firmware,
      model: request.model,
      sleepMs: request.sleepMs,
      lastSeenUnixMs: at,
      epoch: stream.epoch,
      // Until the catalog it speaks by is here, its readings have no names: never those of another catalog.
      catalog: isCatalogKnown ? catalog.id : 0,
      lastWireId: Math.max(device.lastWireId, request.lastCommand),
    };
    tables.putDevice({ ...device, ...facts });
    this.#live.catalogChanged(device.key, facts.catalog);
    return {
      deviceKey: device.key,
      epoch: stream.epoch,
      renumbered: stream.epoch !== request.epoch,
      ackedSeq: decision.type === "fresh" ? 0 : decision.ackedSeq,
      wantCatalog: request.catalogHash !== 0 && !isCatalogKnown,
      lastWireId: facts.lastWireId,
    };
  }

  /** The transaction is durable. */
  committed(): void {
    this.#live.committed();
  }

  /** The transaction was undone: what it left in memory is read again when needed. */
  rolledBack(): void {
    this.#live.rolledBack();
  }

  #resume(
    device: DeviceRow,
    known: StreamRow | null,
    request: HelloRequest,
    decision: Extract<HelloDecision, { type: "resume" }>,
  ): StreamRow {
    const { epoch } = request;
    for (const gap of decision.gaps) {
      const atUnixMs = request.receivedUnixMs;
      writeGap(this.#tables, { deviceKey: device.key, epoch, ...gap, atUnixMs, sink: null });
    }
    const row: StreamRow = {
      deviceKey: device.key,
      epoch,
      mark: decision.mark,
      announced: decision.announced,
      state: known?.state ?? StreamState.offered,
      // It is back: what it makes from now on is unknown again, should it vanish.
      isEnded: false,
      rollback: known?.rollback ?? null,
    };
    this.#tables.putStream(row);
    // The digests stay: right after a reconnect is when repeats come.
    this.#live.changed(row);
    return row;
  }

  #apply(reader: BatchReader): void {
    const entry = reader.entry;
    const stream = this.#live.get(entry.deviceKey, entry.epoch);
    if (stream === null || stream.row.state === StreamState.retired) {
      this.#outcome.droppedCount += 1;
      return;
    }
    this.#live.markDirty(stream);
    if (stream.row.state === StreamState.offered) this.#use(stream, entry.receivedUnixMs);
    if (entry.kind === EntryKind.announce) this.#announce(stream, entry);
    else this.#take(stream, entry, reader.bytes.subarray(reader.bodyStart, reader.bodyEnd));
  }

  /** A frame with a number: the durable mark decides. */
  #take(stream: LiveStream, entry: BatchEntry, body: Uint8Array): void {
    const { row } = stream;
    const bodyCrc = crc32(body);
    const verdict = entry.kind === EntryKind.duplicate ? DUPLICATE : admit(row.mark, entry.seq, entry.gap);
    if (verdict === DUPLICATE) {
      if (stream.digests.compare(entry.seq, bodyCrc) === "different") this.#outcome.conflictCount += 1;
      else this.#outcome.duplicateCount += 1;
      return;
    }
    if (verdict !== ACCEPT) {
      this.#outcome.droppedCount += 1;
      return;
    }
    if (entry.seq - row.mark > 1) this.#missing(stream, entry.seq - 1, entry.receivedUnixMs);
    if (entry.kind === EntryKind.commandUpdate) this.#commandUpdate(stream, entry, body);
    else if (entry.kind === EntryKind.catalog) this.#catalog(stream, entry, body);
    else this.#record(stream, entry, body, bodyCrc);
    row.mark = entry.seq;
    row.isEnded = false;
    row.announced = Math.max(row.announced, entry.announced, entry.seq);
    stream.digests.remember(entry.seq, bodyCrc);
  }

  /** @param bodyCrc CRC-32 of the body, which serves the digest and the row. */
  #record(stream: LiveStream, entry: BatchEntry, body: Uint8Array, bodyCrc: number): void {
    const draft = this.#draft;
    draft.deviceKey = entry.deviceKey;
    draft.epoch = entry.epoch;
    draft.seq = entry.seq;
    draft.kind = recordKindOf(entry.kind);
    draft.accuracy = accuracyOf(entry.accuracy);
    draft.receivedUnixMs = entry.receivedUnixMs;
    draft.baseUnixMs = entry.baseUnixMs;
    draft.catalog = stream.device.catalog;
    draft.bodyCrc = bodyCrc;
    draft.body = body;
    this.#outcome.lastRecordId = this.#tables.addRecord(draft);
    this.#outcome.storedCount += 1;
  }

  #commandUpdate(stream: LiveStream, entry: BatchEntry, body: Uint8Array): void {
    const decoded = decodeBody(UplinkTag.commandUpdate, body);
    if (!decoded.ok || decoded.value.kind !== "commandUpdate") {
      this.#outcome.unreadableCount += 1;
      this.#service(entry, "unreadable");
      return;
    }
    this.#service(entry, "commandUpdate");
    const moved = this.#book.update(stream.row.deviceKey, decoded.value.commandUpdate, entry.receivedUnixMs);
    if (moved !== null) this.#outcome.commands.push(moved);
  }

  #catalog(stream: LiveStream, entry: BatchEntry, body: Uint8Array): void {
    const decoded = decodeBody(UplinkTag.catalog, body);
    if (!decoded.ok || decoded.value.kind !== "catalog") {
      this.#outcome.unreadableCount += 1;
      this.#service(entry, "unreadable");
      return;
    }
    this.#service(entry, "catalog");
    const { deviceKey } = stream.row;
    const arrival = { deviceKey, atUnixMs: entry.receivedUnixMs, body };
    const id = takeCatalogPart(this.#tables, decoded.value.catalog, arrival);
    if (id === null || id === stream.device.catalog) return;
    stream.device.catalog = id;
    this.#tables.setCatalog(deviceKey, id);
  }

  /** A number that becomes no reading: told all the same, so that consumers can count. */
  #service(entry: BatchEntry, carries: ServiceBody["carries"]): void {
    this.#outcome.lastRecordId = writeService(this.#tables, entry, carries);
  }

  /** A heartbeat or a Bye: numbers below `oldest` that never came are gone [P-12]. */
  #announce(stream: LiveStream, entry: BatchEntry): void {
    const { row } = stream;
    if (entry.seq > row.mark) {
      this.#missing(stream, entry.seq, entry.receivedUnixMs);
      row.mark = entry.seq;
    }
    row.announced = Math.max(row.announced, entry.announced, row.mark);
    row.isEnded = (entry.flags & FLAG_ENDED) !== 0;
  }

  /** The numbers from above the mark to `toSeq` were evicted by the device [P-1]. */
  #missing(stream: LiveStream, toSeq: number, atUnixMs: number): void {
    const { deviceKey, epoch, mark } = stream.row;
    const gap = { deviceKey, epoch, fromSeq: mark + 1, toSeq, reason: "evicted", atUnixMs, sink: null } as const;
    this.#outcome.lastRecordId = writeGap(this.#tables, gap);
    this.#outcome.gapCount += 1;
  }

  #use(stream: LiveStream, atUnixMs: number): void {
    // What this batch did to the device's older streams must be in the tables before their open ends are read there.
    const { deviceKey } = stream.row;
    for (const { row } of this.#live.dirty) if (row.deviceKey === deviceKey) this.#tables.putStream(row);
    const { retired, gapCount } = firstUse(this.#tables, stream.row, atUnixMs);
    this.#outcome.gapCount += gapCount;
    for (const older of retired) this.#live.changed(older);
  }
}

function emptyOutcome(): BatchOutcome {
  return {
    storedCount: 0,
    gapCount: 0,
    duplicateCount: 0,
    conflictCount: 0,
    droppedCount: 0,
    unreadableCount: 0,
    lastRecordId: 0,
    commands: [],
    marks: new Uint32Array(0),
  };
}

function recordKindOf(entryKind: number): RecordKind {
  if (entryKind === EntryKind.telemetry) return RecordKind.telemetry;
  return entryKind === EntryKind.log ? RecordKind.log : RecordKind.unknown;
}

function accuracyOf(value: number): Accuracy {
  if (value === Accuracy.device) return Accuracy.device;
  return value === Accuracy.mapped ? Accuracy.mapped : Accuracy.uncertain;
}
