/** A spool in memory with rendered records: enough of Spool and SpoolReader for a sink. */
import type { QuarantinedMessage, RenderedSlice, RequeuedRecord } from "../../model/spool.js";

export interface FakeRecord {
  readonly id: number;
  readonly device: string;
  readonly topic: string;
  readonly payload: string;
  /** See RecordKind; telemetry unless told. */
  readonly kind?: number;
  /** 1 unless told. */
  readonly epoch?: number;
  readonly onlyFor?: string;
  readonly response?: { readonly topic: string; readonly correlation: string | null };
}

export class FakeSpool {
  readonly records: FakeRecord[] = [];
  readonly cursors: number[] = [];
  readonly messages = new Map<number, QuarantinedMessage>();
  readonly again: RequeuedRecord[] = [];
  readonly settled: { readonly recordId: number; readonly refusal: string | null }[] = [];
  readonly aside: { readonly recordId: number; readonly reason: string }[] = [];
  /** Ids up to here exist, also those sent nowhere. */
  lastRecordId = 0;
  readCount = 0;
  readError: Error | null = null;

  /** Append `count` telemetry records of one device. @returns the last id. */
  add(count: number, payloadBytes = 0): number {
    for (let i = 0; i < count; i++) {
      const id = this.lastRecordId + 1;
      const fill = payloadBytes > 0 ? `,"x":"${"x".repeat(payloadBytes)}"` : "";
      this.addRecord({ topic: "attic-7/data", payload: `{"id":"gw/attic-7/1/${id}","n":${id}${fill}}` });
    }
    return this.lastRecordId;
  }

  addRecord(record: Omit<FakeRecord, "id" | "device">): number {
    this.lastRecordId += 1;
    this.records.push({ id: this.lastRecordId, device: "attic-7", ...record });
    return this.lastRecordId;
  }

  /** Ids of records that are sent nowhere. */
  skip(count: number): number {
    this.lastRecordId += count;
    return this.lastRecordId;
  }

  async rendered(afterId: number, rowsMax: number): Promise<RenderedSlice> {
    this.readCount += 1;
    if (this.readError !== null) throw this.readError;
    const all = this.records.filter((record) => record.id > afterId);
    const rows = all.slice(0, rowsMax);
    const more = all.length > rows.length;
    return sliceOf(rows, more ? (rows.at(-1)?.id ?? afterId) : Math.max(afterId, this.lastRecordId), more);
  }

  saveCursor(_sink: string, recordId: number): void {
    this.cursors.push(recordId);
  }

  async quarantine(_sink: string, recordId: number, reason: string, message: QuarantinedMessage | null): Promise<void> {
    this.aside.push({ recordId, reason });
    if (message !== null) this.messages.set(recordId, message);
  }

  /** What `requeue` would do in the store. */
  requeue(recordId: number): void {
    const message = this.messages.get(recordId);
    if (message !== undefined) this.again.push({ recordId, ...message });
  }

  async requeued(): Promise<readonly RequeuedRecord[]> {
    return [...this.again];
  }

  async settleRequeued(_sink: string, recordId: number, refusal: string | null): Promise<void> {
    this.again.splice(0, this.again.length, ...this.again.filter((record) => record.recordId !== recordId));
    this.settled.push({ recordId, refusal });
  }
}

export function sliceOf(rows: readonly FakeRecord[], scannedToId: number, more: boolean): RenderedSlice {
  const payloads = rows.map((row) => Buffer.from(row.payload));
  const offsets = new Uint32Array(rows.length + 1);
  payloads.forEach((payload, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + payload.length;
  });
  const topics = [...new Set(rows.map((row) => row.topic))];
  const responses = new Map<number, { topic: string; correlation: string | null }>();
  rows.forEach((row, i) => {
    if (row.response !== undefined) responses.set(i, row.response);
  });
  const onlyFor = new Map<number, string>();
  rows.forEach((row, i) => {
    if (row.onlyFor !== undefined) onlyFor.set(i, row.onlyFor);
  });
  return {
    ...{ scannedToId, more, count: rows.length, topics, offsets, responses, onlyFor },
    ids: Float64Array.from(rows, (row) => row.id),
    kinds: Uint8Array.from(rows, (row) => row.kind ?? 1),
    epochs: Uint32Array.from(rows, (row) => row.epoch ?? 1),
    seqs: Uint32Array.from(rows, (row) => row.id),
    deviceOf: new Uint32Array(rows.length),
    devices: ["attic-7"],
    topicOf: Uint32Array.from(rows, (row) => topics.indexOf(row.topic)),
    bytes: Buffer.concat(payloads),
  };
}
