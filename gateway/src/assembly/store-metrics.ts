/**
 * Backlog and disk at /metrics: the figures of `/api/v1/status` that somebody wants an alarm for.
 *
 * The spool answers later, gauges answer at once: so the status is asked once before a page of metrics is written, and
 * all gauges of the page are of one moment. While the store does not answer they are absent: zero would be a figure.
 */
import type { StatusFacts } from "../admin/admin-host.js";
import type { Metrics } from "../core/metrics.js";

export type StoreFigures = Pick<StatusFacts, "backlog" | "disk" | "outageHoursLeft" | "bytesWrittenToday">;

/**
 * Makes the gauges.
 *
 * @param ask the status; when it rejects the gauges are absent until it answers again.
 * @returns to be awaited before the metrics are written; never rejects.
 */
export function storeMetrics(metrics: Metrics, ask: () => Promise<StoreFigures>): () => Promise<void> {
  let figures: StoreFigures | null = null;
  const gauge = (name: string, help: string, of: (figures: StoreFigures) => number | null): void =>
    metrics.gauge(name, help, () => (figures === null ? null : of(figures)));
  // A sink that left the configuration keeps its place but holds nothing back: no alarm for it.
  const waiting = () => (figures?.backlog ?? []).filter(({ orphaned }) => !orphaned);

  metrics.gaugePer("sink_backlog_records", "Stored records that the sink has not taken", "sink", () =>
    waiting().map(({ sink, backlogCount }) => [sink, backlogCount]),
  );
  metrics.gaugePer("sink_backlog_age_seconds", "Age of the oldest record the sink has not taken", "sink", () =>
    waiting().map(({ sink, backlogAgeMs }) => [sink, backlogAgeMs / 1000]),
  );
  gauge("spool_used_bytes", "Bytes of the spool in use", ({ disk }) => disk.usedBytes);
  gauge("spool_quota_bytes", "Bytes the spool may use (storage.quota)", ({ disk }) => disk.quotaBytes);
  gauge("disk_free_bytes", "Free bytes on the disk of the data folder", ({ disk }) => disk.freeBytes);
  gauge(
    "outage_left_hours",
    "Hours until quota or disk is used up while nothing goes out; absent while nothing can be said",
    ({ outageHoursLeft }) => outageHoursLeft,
  );
  gauge(
    "written_today_bytes",
    "Bytes written to the disk since midnight",
    ({ bytesWrittenToday }) => bytesWrittenToday,
  );
  return async () => {
    figures = await ask().catch(() => null);
  };
}
