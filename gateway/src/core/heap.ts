/**
 * What a thread's heap holds, and how much garbage it may hold beside it. The gateway's only user of `node:v8`.
 *
 * Every thread has a heap of its own. Where there is plenty of memory V8 lets one grow to four times what lives in it
 * before it collects: 35 MB that live become a saw of 50 to 140 MB, which is memory that somebody on a small board
 * wants for something else, and in which nobody sees a leak.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Bytes of one thread's heap. */
export interface HeapFigures {
  /** What lives in it, and the garbage that was not collected yet. */
  readonly usedBytes: number;
  /** What it has taken from the system. */
  readonly sizeBytes: number;
  /** Buffers that it keeps alive outside of it. */
  readonly externalBytes: number;
}

/**
 * A heap is collected when it has grown by half: two collections where there was one, each in the background but for a
 * few ms. Under the load of 1,000 messages a second their cost is not measurable.
 */
const GROWTH_PERCENT = 50;

/** For all threads of the process, best before they have grown. An engine that does not know the flag ignores it. */
export function keepHeapsSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

/** Memory of the whole process that is in RAM: all heaps, SQLite, sockets, and the program itself. */
export function residentBytes(): number {
  return process.memoryUsage.rss();
}

/** Of the thread that asks. Takes a few microseconds. */
export function heapOfThread(): HeapFigures {
  const { used_heap_size, total_physical_size, external_memory } = getHeapStatistics();
  return { usedBytes: used_heap_size, sizeBytes: total_physical_size, externalBytes: external_memory };
}
