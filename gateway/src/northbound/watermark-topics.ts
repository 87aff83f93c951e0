/**
 * `<device>/watermark`: how far a device's numbers have gone to this broker, retained, QoS 1. With it a consumer can
 * prove that it has everything: each number of the epoch up to `seq` went out before, as data, log, service or gap.
 *
 *   {"device":"attic-7","epoch":3510738270,"seq":1204,"at":1700000000000}
 *
 * Conflated to one message per device and interval; after a reconnect every known one is sent again.
 */
import type { Clock } from "../core/clock.js";
import type { Counter } from "../core/metrics.js";
import { RecordKind } from "../model/record.js";
import type { RenderedSlice } from "../model/spool.js";
import { ReasonCode } from "./connack-failure.js";
import type { AckListener } from "./in-flight.js";
import type { Publisher } from "./mqtt-connection.js";
import { Pacer } from "./pacer.js";
import { payloadOf } from "./slice-messages.js";

export interface WatermarkOptions {
  /** `tidegate/<gw>/` */
  readonly topicHead: string;
  readonly intervalMs: number;
  readonly devicesMax: number;
}

export interface WatermarkDeps {
  readonly clock: Clock;
  /** Counts devices that found no room, and watermarks the broker refused. */
  readonly shed: Counter;
  /** There may be something to send. */
  readonly wake: () => void;
}

interface Mark {
  epoch: number;
  seq: number;
  /** Only gaps have spoken of this epoch: whatever comes next knows better which one is in use. */
  isOfGaps: boolean;
}

/** One per sink; told of every record its cursor passes. */
export class WatermarkTopics implements AckListener {
  readonly #marks = new Map<string, Mark>();
  readonly #pacer: Pacer;
  readonly #options: WatermarkOptions;
  readonly #deps: WatermarkDeps;

  constructor(options: WatermarkOptions, deps: WatermarkDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#pacer = new Pacer(options.intervalMs, deps);
  }

  /** The record at `index` was taken, and every one before it. */
  passed(slice: RenderedSlice, index: number): void {
    const seq = lastSeqOf(slice, index);
    const device = slice.devices[slice.deviceOf[index] ?? 0];
    if (seq === 0 || device === undefined) return;
    const epoch = slice.epochs[index] ?? 0;
    const isGap = slice.kinds[index] === RecordKind.gap;
    const mark = this.#marks.get(device);
    if (mark === undefined) {
      if (this.#marks.size >= this.#options.devicesMax) {
        this.#deps.shed.add();
        return;
      }
      this.#marks.set(device, { epoch, seq, isOfGaps: isGap });
    } else if (mark.epoch !== epoch) {
      // A late gap of an older epoch must not hide the one in use.
      if (isGap && !mark.isOfGaps) return;
      mark.epoch = epoch;
      mark.seq = seq;
      mark.isOfGaps = isGap;
    } else {
      if (!isGap) mark.isOfGaps = false;
      if (seq <= mark.seq) return;
      mark.seq = seq;
    }
    this.#pacer.changed(device);
  }

  forget(device: string): void {
    this.#marks.delete(device);
    this.#pacer.forget(device);
  }

  attach(): void {
    this.#pacer.attach(this.#marks.keys());
  }

  detach(): void {
    this.#pacer.detach();
  }

  /** Send one watermark whose turn it is. @returns false when there is none, or no slot is free. */
  sendNext(publisher: Publisher): boolean {
    if (publisher.freeSlots < 1) return false;
    const device = this.#pacer.next();
    const mark = device === null ? undefined : this.#marks.get(device);
    if (device === null || mark === undefined) return false;
    const { epoch, seq } = mark;
    const payload = JSON.stringify({ device, epoch, seq, at: Math.round(this.#deps.clock.unixMs()) });
    publisher.publish({ topic: `${this.#options.topicHead}${device}/watermark`, payload, retain: true }, this, 0);
    return true;
  }

  /** Nothing to remember: the next one says the same and more. */
  acked(_token: number, reasonCode: number): void {
    if (reasonCode >= ReasonCode.unspecified) this.#deps.shed.add();
  }
}

/** The last number a record stands for; 0 when it stands for none: an outcome, or the open end of an epoch. */
function lastSeqOf(slice: RenderedSlice, index: number): number {
  if (slice.kinds[index] !== RecordKind.gap) return slice.seqs[index] ?? 0;
  const gap = JSON.parse(payloadOf(slice, index).toString("utf8")) as { toSeq: number | null }; // our own renderer's
  return gap.toSeq ?? 0;
}
