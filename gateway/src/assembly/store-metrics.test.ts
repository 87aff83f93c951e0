/** Backlog and disk at /metrics: the lines a monitoring system reads, and when there are none. */
import { describe, expect, it } from "vitest";
import { Metrics } from "../core/metrics.js";
import { type StoreFigures, storeMetrics } from "./store-metrics.js";

const FIGURES: StoreFigures = {
  backlog: [
    { sink: "broker", cursor: 3, backlogCount: 1204, backlogAgeMs: 90_500, orphaned: false },
    { sink: "archive", cursor: 1207, backlogCount: 0, backlogAgeMs: 0, orphaned: false },
    { sink: "former", cursor: 1, backlogCount: 1206, backlogAgeMs: 99_000, orphaned: true },
  ],
  disk: { usedBytes: 4096, quotaBytes: 8192, freeBytes: 16384, full: false },
  outageHoursLeft: 31.5,
  bytesWrittenToday: 777,
};

/** The lines with values, without those of prom-client's comments. */
async function page(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("store and sinks at /metrics", () => {
  it("are the figures of the status, in bytes, seconds and hours, without sinks that left the configuration", async () => {
    const metrics = new Metrics();
    await storeMetrics(metrics, async () => FIGURES)();
    expect(await page(metrics)).toEqual([
      'tidegate_sink_backlog_records{sink="broker"} 1204',
      'tidegate_sink_backlog_records{sink="archive"} 0',
      'tidegate_sink_backlog_age_seconds{sink="broker"} 90.5',
      'tidegate_sink_backlog_age_seconds{sink="archive"} 0',
      "tidegate_spool_used_bytes 4096",
      "tidegate_spool_quota_bytes 8192",
      "tidegate_disk_free_bytes 16384",
      "tidegate_outage_left_hours 31.5",
      "tidegate_written_today_bytes 777",
    ]);
  });

  it("have no line for hours of outage that nobody can tell, and have it again when somebody can", async () => {
    const metrics = new Metrics();
    let hours: number | null = 5;
    const read = storeMetrics(metrics, async () => ({ ...FIGURES, outageHoursLeft: hours }));
    for (const now of [5, null, 7]) {
      hours = now;
      await read();
      const line = (await page(metrics)).filter((known) => known.startsWith("tidegate_outage_left_hours"));
      expect(line).toEqual(now === null ? [] : [`tidegate_outage_left_hours ${now}`]);
    }
  });

  it("are absent, not zero and not old, while the store does not answer; the other metrics are there", async () => {
    const metrics = new Metrics();
    metrics.counter("links", "Links").add(2);
    let isBroken = false;
    const read = storeMetrics(metrics, () => (isBroken ? Promise.reject(new Error("busy")) : Promise.resolve(FIGURES)));
    await read();
    isBroken = true;
    await read();
    expect(await page(metrics)).toEqual(["tidegate_links_total 2"]);
  });
});
