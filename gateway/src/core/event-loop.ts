/** How long the event loop keeps work waiting: the health of the main thread in three numbers. */
import { monitorEventLoopDelay } from "node:perf_hooks";

/** How late timers of this thread came, in ms. */
export interface EventLoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures from its making until `stop`. */
export interface EventLoopWatch {
  /** In ms, since the last call of `read`; the watch starts over. */
  read(): EventLoopDelay;
  stop(): void;
}

/** Sampling every 10 ms costs nothing measurable and sees every stall that a heartbeat would notice. */
const RESOLUTION_MS = 10;

/** Start watching; `stop` it, or its timer keeps the process alive. */
export function watchEventLoop(): EventLoopWatch {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const ms = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    read: () => {
      const delay = {
        p50: ms(histogram.percentile(50)),
        p99: ms(histogram.percentile(99)),
        max: ms(histogram.max),
      };
      histogram.reset();
      return delay;
    },
    stop: () => histogram.disable(),
  };
}
