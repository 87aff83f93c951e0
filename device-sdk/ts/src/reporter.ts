/**
 * From `report()` to the outbox: two batches, one per time line, cut by time and by size.
 *
 *   report(v)            ──▶ batch of uptime ─┐
 *   report(v, { at })    ──▶ batch of Unix time ─┴─ flushIntervalMs after the first, or full ──▶ outbox
 */

import { Batch, type CutBatch } from "./batch.js";
import { type Clock, uptimeMs } from "./clock.js";
import { encodeBody } from "./frame-head.js";
import type { Outbox } from "./outbox.js";
import type { SignalCodec } from "./signal.js";

/** When readings that were batched go out: after a time in ms, or at a size in bytes, whichever comes first. */
export interface ReporterOptions {
  readonly flushIntervalMs: number;
  readonly maxBatchBytes: number;
  /** Written into every message; 0: left out. */
  readonly bootNonce: number;
  readonly bootMonoMs: number;
  /** Readings without a time of their own get this machine's clock. */
  readonly trustClock: boolean;
}

/** Gathers readings into batches and hands them to the outbox. */
export class Reporter {
  readonly #clock: Clock;
  readonly #outbox: Outbox;
  readonly #options: ReporterOptions;
  readonly #batches: { readonly uptime: Batch; readonly unix: Batch };
  readonly #onAppended: () => void;
  #cancelTimer: (() => void) | null = null;
  samples = 0;

  /** @param onAppended called after something was put into the outbox */
  constructor(clock: Clock, outbox: Outbox, options: ReporterOptions, onAppended: () => void) {
    this.#clock = clock;
    this.#outbox = outbox;
    this.#options = options;
    this.#onAppended = onAppended;
    const batch = (timeline: "uptime" | "unix") => new Batch(timeline, options.maxBatchBytes, options.bootNonce);
    this.#batches = { uptime: batch("uptime"), unix: batch("unix") };
  }

  /** Take a reading. `atUnixMs` is null for "now". @throws TypeError when the value does not fit the signal */
  report(codec: SignalCodec, value: unknown, quality: number, atUnixMs: number | null): void {
    const wire = codec.encode(value);
    const unixMs = atUnixMs ?? (this.#options.trustClock ? Math.floor(this.#clock.unixMs()) : null);
    const batch = unixMs === null ? this.#batches.uptime : this.#batches.unix;
    const atMs = unixMs ?? Math.floor(this.#clock.monoMs() - this.#options.bootMonoMs);
    this.samples++;
    this.#append(batch.add(codec, quality, atMs, wire));
    if (this.#options.flushIntervalMs === 0) this.flush();
    else this.#cancelTimer ??= this.#clock.after(this.#options.flushIntervalMs, () => this.flush());
  }

  /** Put everything gathered into the outbox. */
  flush(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#append([...this.#batches.uptime.cut(), ...this.#batches.unix.cut()]);
  }

  log(level: number, text: string): void {
    const uptime = uptimeMs(this.#clock, this.#options.bootMonoMs);
    this.#outbox.append("log", encodeBody({ kind: "log", log: { uptimeMs: uptime, level, text } }));
    this.#onAppended();
  }

  #append(cuts: readonly CutBatch[]): void {
    for (const { telemetry, samples } of cuts) {
      this.#outbox.append("telemetry", encodeBody({ kind: "telemetry", telemetry }), samples);
    }
    if (cuts.length > 0) this.#onAppended();
  }
}
