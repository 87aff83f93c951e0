/**
 * The reader thread's entry: a read-only connection to the spool, opened when told to, and the renderer.
 */
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { SystemClock } from "../core/clock.js";
import { Renderer } from "../telemetry/render.js";
import { reportHeap } from "./heap-report.js";
import { SPOOL_FILE } from "./open-stores.js";
import { Reader } from "./reader.js";
import { ReaderHost } from "./reader-host.js";
import { storeError } from "./sqlite-error.js";
import type { ReaderStart } from "./storage-start.js";
import { plainError, type Question, type ReaderCalls, type WorkerMessage } from "./worker-protocol.js";

if (parentPort === null) throw new Error("this file is the entry of a worker thread");
const port = parentPort;
const send = (message: WorkerMessage, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);

try {
  const start = workerData as ReaderStart; // made by open-storage.ts
  const clock = new SystemClock();
  const path = join(start.dataDir, SPOOL_FILE);
  const host = new ReaderHost(() => new Reader(path, new Renderer(start.gatewayId), clock), send);
  port.on("message", (question: Question<ReaderCalls>) => host.receive(question));
  send({ type: "ready", notices: [] }, []);
  reportHeap(clock, send);
} catch (thrown) {
  send({ type: "fatal", error: plainError(storeError(thrown, "the store, while reading")) }, []);
}
