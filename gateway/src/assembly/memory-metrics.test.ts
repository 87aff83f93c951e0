/** Memory at /metrics: which thread it is that grows. */
import { describe, expect, it } from "vitest";
import { Metrics } from "../core/metrics.js";
import { memoryMetrics } from "./memory-metrics.js";

describe("memory at /metrics", () => {
  it("has a line for each thread that has told its size, and one for the whole process", async () => {
    const metrics = new Metrics();
    memoryMetrics(metrics, () => [
      ["storage", { usedBytes: 10, sizeBytes: 20, externalBytes: 5 }],
      ["history", null],
    ]);
    const lines = (await metrics.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines).toContain('tidegate_heap_used_bytes{thread="storage"} 10');
    expect(lines).toContain('tidegate_heap_size_bytes{thread="storage"} 20');
    expect(lines).toContain('tidegate_heap_external_bytes{thread="storage"} 5');
    expect(lines.some((line) => line.includes("history"))).toBe(false);
    for (const name of ["resident_memory_bytes", 'heap_used_bytes{thread="main"}']) {
      const value = lines.find((line) => line.startsWith(`tidegate_${name} `))?.split(" ")[1];
      expect(Number(value)).toBeGreaterThan(1_000_000);
    }
  });
});
