/** Batches for tests, written entry by entry with sensible numbers where none are given. */
import { BatchEntry, EntryKind, GatherBuffer } from "../../model/batch.js";
import type { GatherBatch, HelloRequest } from "../../model/spool.js";

export interface TestEntry {
  readonly deviceKey?: number;
  readonly epoch: number;
  readonly seq: number;
  readonly gap?: number;
  readonly announced?: number;
  readonly kind?: number;
  readonly flags?: number;
  readonly receivedUnixMs?: number;
  readonly body?: Uint8Array;
}

export const RECEIVED = 1_700_000_000_000;

/** A body that tells which number it belongs to. */
export function bodyOf(seq: number): Uint8Array {
  return new TextEncoder().encode(`reading ${seq}`);
}

export function batchOf(entries: readonly TestEntry[], refusalsKnown = 0): GatherBatch {
  const gather = new GatherBuffer(64 * 1024 * 1024);
  const entry = new BatchEntry();
  for (const each of entries) {
    entry.deviceKey = each.deviceKey ?? 1;
    entry.epoch = each.epoch;
    entry.seq = each.seq;
    entry.gap = each.gap ?? 0;
    entry.announced = each.announced ?? each.seq;
    entry.kind = each.kind ?? EntryKind.telemetry;
    entry.flags = each.flags ?? 0;
    entry.receivedUnixMs = each.receivedUnixMs ?? RECEIVED;
    entry.baseUnixMs = entry.receivedUnixMs;
    const isBodiless = entry.kind === EntryKind.announce;
    const body = each.body ?? (isBodiless ? new Uint8Array(0) : bodyOf(each.seq));
    gather.append(entry, body);
  }
  return gather.take(undefined, refusalsKnown);
}

/** Telemetry entries with the numbers from … to of one epoch. */
export function run(epoch: number, from: number, to: number, deviceKey = 1): TestEntry[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ deviceKey, epoch, seq: from + i }));
}

export function helloOf(fields: Partial<HelloRequest> = {}): HelloRequest {
  return {
    deviceId: "attic-7",
    bootNonce: 1,
    epoch: 0,
    nextSeq: 1,
    oldest: 1,
    ackedSeq: 0,
    closing: false,
    lastCommand: 0,
    catalogHash: 0,
    firmware: "1.0",
    model: "test",
    sleepMs: 0,
    receivedUnixMs: RECEIVED,
    ...fields,
  };
}
