/**
 * Memory at /metrics: the whole process, and the heap of each of its threads, so that somebody who sees it grow knows
 * where to look.
 */
import { type HeapFigures, heapOfThread, residentBytes } from "../core/heap.js";
import type { Metrics } from "../core/metrics.js";

/** A thread's name and its heap; null: it has not told. */
export type ThreadHeap = readonly [thread: string, heap: HeapFigures | null];

/** @param others the threads beside the one that asks, which is `main`. */
export function memoryMetrics(metrics: Metrics, others: () => readonly ThreadHeap[]): void {
  metrics.gauge("resident_memory_bytes", "Memory of the whole process that is in RAM", () => residentBytes());
  const gauge = (name: string, help: string, of: (heap: HeapFigures) => number): void =>
    metrics.gaugePer(name, help, "thread", () => {
      const threads: readonly ThreadHeap[] = [["main", heapOfThread()], ...others()];
      return threads.flatMap(([thread, heap]) => (heap === null ? [] : [[thread, of(heap)] as const]));
    });
  gauge("heap_used_bytes", "Objects on the thread's heap, with garbage not collected yet", (heap) => heap.usedBytes);
  gauge("heap_size_bytes", "Memory that the thread's heap takes", (heap) => heap.sizeBytes);
  gauge("heap_external_bytes", "Buffers that the thread's heap keeps outside of itself", (heap) => heap.externalBytes);
}
