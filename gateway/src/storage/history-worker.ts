/**
 * The history thread's entry: its own connection to history.db, a read-only one to spool.db, its own clock.
 */
import { parentPort, workerData } from "node:worker_threads";
import { SystemClock } from "../core/clock.js";
import { reportHeap } from "./heap-report.js";
import { HistoryEngine } from "./history-engine.js";
import { HistoryHost } from "./history-host.js";
import { openHistory } from "./history-open.js";
import type { HistoryCalls, HistoryStart } from "./history-protocol.js";
import { SqlSpoolTail } from "./history-tail.js";
import { storeError } from "./sqlite-error.js";
import { plainError, type Question, type WorkerMessage } from "./worker-protocol.js";

if (parentPort === null) throw new Error("this file is the entry of a worker thread");
const port = parentPort;
const send = (message: WorkerMessage, transfer: ArrayBuffer[]): void => port.postMessage(message, transfer);

try {
  const start = workerData as HistoryStart; // made by history-client.ts
  const clock = new SystemClock();
  const opened = openHistory(start.dataDir, clock.unixMs());
  const engine = new HistoryEngine(opened.db, new SqlSpoolTail(start.dataDir), { ...start, clock });
  const host = new HistoryHost(engine, opened, clock, send);
  port.on("message", (question: Question<HistoryCalls>) => host.receive(question));
  send({ type: "ready", notices: opened.notices }, []);
  reportHeap(clock, send);
} catch (thrown) {
  send({ type: "fatal", error: plainError(storeError(thrown, "the history")) }, []);
}
