/**
 * The storage thread's entry: opens the databases and serves the main thread. All rules are in engine.ts and
 * writer-host.ts; here are only the thread's own clock, randomness and port.
 */
import { parentPort, workerData } from "node:worker_threads";
import { step } from "../command/command-machine.js";
import { SystemClock } from "../core/clock.js";
import { SystemRandom } from "../core/random.js";
import { Engine } from "./engine.js";
import { reportHeap } from "./heap-report.js";
import { openStores } from "./open-stores.js";
import { storeError } from "./sqlite-error.js";
import type { StorageStart } from "./storage-start.js";
import { plainError, type Question, type WorkerMessage, type WriterCalls } from "./worker-protocol.js";
import { WriterHost } from "./writer-host.js";

/** On a disk that wears: what a sink may see again after a power cut. */
const GENTLE_CHORES_MS = 5_000;

if (parentPort === null) throw new Error("this file is the entry of a worker thread");
const port = parentPort;
const send = (message: WorkerMessage, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);

try {
  const start = workerData as StorageStart; // made by open-storage.ts
  const clock = new SystemClock();
  const random = new SystemRandom();
  const isGentle = start.isGentle === true;
  const stores = openStores({ dataDir: start.dataDir, clock, random, step, isGentle });
  const choreIntervalMs = isGentle ? GENTLE_CHORES_MS : 0;
  const engine = new Engine(stores, { ...start, choreIntervalMs, clock, random, step });
  const host = new WriterHost(engine, clock, clock, send);
  port.on("message", (question: Question<WriterCalls>) => host.receive(question));
  send({ type: "ready", notices: stores.notices }, []);
  reportHeap(clock, send);
} catch (thrown) {
  send({ type: "fatal", error: plainError(storeError(thrown, "the store")) }, []);
}
