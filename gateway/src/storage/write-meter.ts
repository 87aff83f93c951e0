/**
 * Bytes this process has written to the disk today (UTC), for the flash-wear figure.
 *
 * Linux counts them (`write_bytes` in /proc/self/io: what reached the block layer, all files of the process); elsewhere
 * there is no such count, and the figure stays what the spool estimates from its batches.
 */
import { readFileSync } from "node:fs";

const DAY_MS = 24 * 3_600_000;

/** Where the figure survives a restart. */
export interface MeterMemory {
  meta(key: string): string | null;
  putMeta(key: string, value: string): void;
}

/** Bytes written today; the figure of earlier runs is carried on through `memory`. */
export class WriteMeter {
  readonly #memory: MeterMemory;
  #day: number;
  /** Of earlier runs, today. */
  #carriedBytes: number;
  /** The counter's value when the day, or this run, began. */
  #startBytes: number;
  #estimatedBytes = 0;

  constructor(memory: MeterMemory, nowUnixMs: number) {
    this.#memory = memory;
    this.#day = Math.floor(nowUnixMs / DAY_MS);
    const [day, bytes] = (memory.meta("written") ?? "0 0").split(" ").map(Number);
    this.#carriedBytes = day === this.#day && bytes !== undefined && Number.isFinite(bytes) ? bytes : 0;
    this.#startBytes = counted() ?? 0;
  }

  /** What a commit is thought to have written, where nothing counts it. */
  add(bytes: number): void {
    this.#estimatedBytes += bytes;
  }

  today(nowUnixMs: number): number {
    const day = Math.floor(nowUnixMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#carriedBytes = 0;
      this.#startBytes = counted() ?? 0;
      this.#estimatedBytes = 0;
    }
    const now = counted();
    return this.#carriedBytes + (now === null ? this.#estimatedBytes : Math.max(0, now - this.#startBytes));
  }

  /** Inside a transaction. */
  save(nowUnixMs: number): void {
    const bytes = this.today(nowUnixMs);
    this.#memory.putMeta("written", `${this.#day} ${bytes}`);
  }
}

function counted(): number | null {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "utf8"));
    return found?.[1] === undefined ? null : Number(found[1]);
  } catch {
    return null;
  }
}
