/**
 * The history's figures at /metrics. They come from the worker every few seconds and start anew with it.
 */
import type { Counter, Metrics } from "../core/metrics.js";
import type { HistoryProgress } from "./history-protocol.js";

/**
 * @param read the newest figures; null while the worker is not up, which shows as zeros.
 * @returns the counter of restarts.
 */
export function historyMetrics(metrics: Metrics, read: () => HistoryProgress | null): Counter {
  const gauge = (name: string, help: string, of: (progress: HistoryProgress) => number): void => {
    metrics.gauge(name, help, () => {
      const progress = read();
      return progress === null ? 0 : of(progress);
    });
  };
  metrics.gauge("history_up", "1 while the history worker answers", () => (read() === null ? 0 : 1));
  gauge("history_used_bytes", "Bytes in the used pages of history.db", ({ usedBytes }) => usedBytes);
  gauge("history_open_bytes", "Memory of readings that are not packed yet", ({ openBytes }) => openBytes);
  gauge("history_signals", "Signals with a history", ({ signalCount }) => signalCount);
  gauge("history_readings", "Readings taken since the worker started", ({ readingCount }) => readingCount);
  metrics.gaugePer("history_left_out", "What the history left out since its worker started", "reason", () => {
    const progress = read();
    if (progress === null) return [];
    return [
      ["reading_out_of_time", progress.outsideCount],
      ["reading_signal_limit", progress.refusedCount],
      ["record_dropped_before", progress.missedCount],
      ["blob_damaged", progress.damagedCount],
      ["write_refused", progress.refusedWriteCount],
    ];
  });
  return metrics.counter("history_restarts", "Times the history worker ended and was started again");
}
