/**
 * A worker tells how large its heap is, from time to time and unasked: nobody has to wait for a thread that is busy to
 * learn what it weighs.
 */
import { type Clock, repeat } from "../core/clock.js";
import { heapOfThread } from "../core/heap.js";
import type { Send } from "./writer-host.js";

/** Metrics are read about every 15 s; a leak takes longer. */
const REPORT_MS = 5_000;

/** Begins at once, and goes on as long as the thread lives. */
export function reportHeap(clock: Clock, send: Send): void {
  const report = (): void => send({ type: "heap", heap: heapOfThread() }, []);
  report();
  repeat(clock, REPORT_MS, report);
}
