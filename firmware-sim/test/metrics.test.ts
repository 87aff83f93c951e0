/** What a monitoring system reads of a real gateway: the figures of its status, for alarms. */
import { afterEach, expect, it } from "vitest";
import { until } from "../src/rehearse/child.js";
import { startGateway, type TestGateway } from "./bench-gateway.js";

let site: TestGateway | undefined;
afterEach(() => site?.end());

it("the metrics of a running gateway have backlog, spool and disk, as its status has them", async () => {
  site = await startGateway({ sinks: [{ name: "away", type: "mqtt", url: "mqtt://127.0.0.1:9" }] });
  const { gateway } = site;
  const { body: status } = await gateway.call("GET", "/api/v1/status");
  const headers = { authorization: `Bearer ${gateway.adminToken}` };
  const text = await (await fetch(`${gateway.adminUrl}/metrics`, { headers })).text();
  expect(text).toContain('\ntidegate_sink_backlog_records{sink="away"} 0\n');
  expect(text).toContain('\ntidegate_sink_backlog_age_seconds{sink="away"} 0\n');
  expect(text).toContain(`\ntidegate_spool_quota_bytes ${status.disk.quotaBytes}\n`);
  expect(text).toMatch(/\ntidegate_spool_used_bytes [1-9]/);
  expect(text).toMatch(/\ntidegate_disk_free_bytes [1-9]/);
  expect(text).not.toMatch(/^tidegate_outage_left_hours /m); // nothing came in
  expect(text).not.toContain("$history");
  const rates = async () => (await gateway.call("GET", "/api/v1/rates")).body;
  await until("the first step of the rates is over", async () => (await rates()).acked.length > 0);
  const { stepMs, acked } = await rates();
  expect([stepMs, acked[0]]).toEqual([2000, 0]);
});
