/**
 * The clock of one simulated process: it serves the gateway's `Clock & Ticker` and the SDK's `Clock`. When the process
 * is killed nothing it has set up ever fires again.
 */
import type { Timeline } from "./timeline.js";

/** Where every wall clock of the world begins. */
export const WALL_START_UNIX_MS = 1_700_000_000_000;

/** Wall time of one machine: may jump, and then only stamps change. */
export interface WallClock {
  /** Unix ms at world time 0. */
  offsetMs: number;
}

/** Made with the process, killed with it. Milliseconds. */
export class ProcessClock {
  readonly #timeline: Timeline;
  readonly #wall: WallClock;
  readonly #machineBootMs: number;
  #isAlive = true;

  /** @param machineBootMs world time at which the machine's monotonic clock was 0. */
  constructor(timeline: Timeline, wall: WallClock, machineBootMs: number) {
    this.#timeline = timeline;
    this.#wall = wall;
    this.#machineBootMs = machineBootMs;
  }

  kill(): void {
    this.#isAlive = false;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  monoMs(): number {
    return this.#timeline.nowMs - this.#machineBootMs;
  }

  unixMs(): number {
    return this.#wall.offsetMs + this.#timeline.nowMs;
  }

  after(afterMs: number, fn: () => void): () => void {
    return this.#timeline.after(afterMs, () => {
      if (this.#isAlive) fn();
    });
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }
}
