/**
 * For tests of the history: a tail whose records a test writes, an engine on a real history.db, and the answer that a
 * plain reading of all readings gives.
 */
import { encodeTelemetry, type SeriesValues } from "@tidegate/proto";
import { ManualClock } from "../../core/testing/manual-clock.js";
import { Accuracy, RecordKind, type StoredRecord } from "../../model/record.js";
import { HistoryEngine, type HistoryEngineOptions } from "../history-engine.js";
import { type OpenHistory, openHistory } from "../history-open.js";
import type { SpoolTail } from "../history-tail.js";

/** One reading of signal 1, which shows as "#1" because there is no catalog. */
export interface TestReading {
  readonly t: number;
  readonly v: number | string;
}

const BATCH_ROWS = 500;

/** Readings of one record, far below what a frame holds. */
const RECORD_READINGS_MAX = 2_000;

/** A spool in memory: what a test put in, in order. */
export class MemoryTail implements SpoolTail {
  store = "store-1";
  records: StoredRecord[] = [];
  #lastId = 0;

  storeId(): string {
    return this.store;
  }

  bounds(): { oldestId: number; lastId: number } {
    return { oldestId: this.records[0]?.id ?? this.#lastId + 1, lastId: this.#lastId };
  }

  read(afterId: number): { records: StoredRecord[]; scannedToId: number } {
    const records = this.records.filter(({ id }) => id > afterId).slice(0, BATCH_ROWS);
    return { records, scannedToId: records.at(-1)?.id ?? afterId };
  }

  catalog(): null {
    return null;
  }

  close(): void {}

  add(kind: RecordKind, body: Uint8Array, fields: Partial<StoredRecord> = {}): void {
    this.#lastId += 1;
    this.records.push({
      id: this.#lastId,
      device: "attic-7",
      epoch: 1,
      seq: this.#lastId,
      kind,
      receivedUnixMs: fields.baseUnixMs ?? 0,
      baseUnixMs: 0,
      accuracy: Accuracy.device,
      catalog: 0,
      body,
      ...fields,
    });
  }

  /** Records with these readings, whose times are whole ms and rise. */
  addReadings(readings: readonly TestReading[], fields: Partial<StoredRecord> = {}, quality = 0): void {
    for (let at = 0; at < readings.length; at += RECORD_READINGS_MAX) {
      this.#addRecord(readings.slice(at, at + RECORD_READINGS_MAX), fields, quality);
    }
  }

  #addRecord(readings: readonly TestReading[], fields: Partial<StoredRecord>, quality: number): void {
    const baseUnixMs = readings[0]?.t ?? 0;
    const dtMs = readings.map(({ t }, i) => t - (readings[i - 1]?.t ?? baseUnixMs));
    const body = encodeTelemetry({
      base: { kind: "none" },
      bootNonce: 0,
      series: [{ signal: 1, dtMs, periodUs: 0, quality, values: valuesOf(readings) }],
    });
    const receivedUnixMs = readings.at(-1)?.t ?? 0;
    this.add(RecordKind.telemetry, body, { baseUnixMs, receivedUnixMs, ...fields });
  }

  addGap(sink: string | null = null): void {
    const body = JSON.stringify({ fromSeq: 1, toSeq: 2, reason: "evicted", sink });
    this.add(RecordKind.gap, new TextEncoder().encode(body));
  }
}

function valuesOf(readings: readonly TestReading[]): SeriesValues {
  const texts = readings.map(({ v }) => v).filter((v) => typeof v === "string");
  if (texts.length > 0) return { kind: "texts", texts };
  return { kind: "doubles", doubles: readings.map(({ v }) => Number(v)) };
}

export interface TestHistory {
  readonly engine: HistoryEngine;
  readonly opened: OpenHistory;
}

/** A manual clock whose wall time is `unixMs`. */
export function clockAt(unixMs: number): ManualClock {
  const clock = new ManualClock();
  clock.jumpUnix(unixMs - clock.unixMs());
  return clock;
}

export function openTestHistory(
  dataDir: string,
  tail: SpoolTail,
  clock: ManualClock,
  options: Partial<HistoryEngineOptions> = {},
): TestHistory {
  const opened = openHistory(dataDir, clock.unixMs());
  const engine = new HistoryEngine(opened.db, tail, {
    keepMs: 7 * 86_400_000,
    quotaBytes: 64 * 1024 * 1024,
    clock,
    ...options,
  });
  return { engine, opened };
}

/** Let time pass for the engine as its host would: a turn every so often. */
export function pass(engine: HistoryEngine, clock: ManualClock, byMs: number, everyMs = 10_000): void {
  for (let passed = 0; passed < byMs; passed += everyMs) {
    clock.advance(Math.min(everyMs, byMs - passed));
    while (engine.tick());
  }
}

export interface NaiveBucket {
  readonly start: number;
  readonly min: number;
  readonly avg: number;
  readonly max: number;
}

/** Buckets of that width that hold readings, by looking at every reading. */
export function naiveBuckets(readings: readonly TestReading[], widthMs: number): NaiveBucket[] {
  const buckets = new Map<number, number[]>();
  for (const { t, v } of readings) {
    const start = Math.floor(t / widthMs) * widthMs;
    buckets.set(start, [...(buckets.get(start) ?? []), Number(v)]);
  }
  return [...buckets]
    .sort(([a], [b]) => a - b)
    .map(([start, values]) => ({
      start,
      min: Math.min(...values),
      avg: values.reduce((sum, value) => sum + value, 0) / values.length,
      max: Math.max(...values),
    }));
}
