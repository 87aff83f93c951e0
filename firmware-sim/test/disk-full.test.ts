/**
 * A full disk, for real: the data folder on a small tmpfs that somebody else fills. Needs the right to mount; where it
 * is missing, `faults.test.ts` still has a disk on which every write fails.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { BrokerProcess } from "../src/rehearse/broker-process.js";
import { until } from "../src/rehearse/child.js";
import { FleetProcess } from "../src/rehearse/fleet-process.js";
import { GatewayProcess } from "../src/rehearse/gateway-process.js";
import { drained } from "../src/rehearse/outage.js";
import { judge } from "../src/rehearse/verdict.js";

const needed = requires("mosquitto", "mosquitto_sub");
const TMPFS_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 400_000;

function mounted(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${TMPFS_BYTES}`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Fill what is left, to the last block. */
function fill(folder: string): void {
  const piece = Buffer.alloc(256 * 1024);
  for (let i = 0; statfsSync(folder).bavail > 0; i++) {
    try {
      writeFileSync(join(folder, `filler-${i}`), piece);
    } catch {
      return;
    }
  }
}

function free(folder: string): void {
  execFileSync("sh", ["-c", `rm -f '${folder}'/filler-*`]);
}

needed.describe("a disk that somebody else fills", () => {
  needed.it(
    "stops the acks and nothing else: the backlog drains, a restart works, and intake goes on when it is freed",
    async ({ skip }) => {
      const dir = mkdtempSync(join(tmpdir(), "tidegate-disk-"));
      const data = join(dir, "gateway", "data");
      if (!mounted(data)) skip("this user may not mount a tmpfs");
      const broker = await BrokerProcess.start({
        ...{ dir: join(dir, "broker"), mosquitto: needed.path("mosquitto") },
        mosquittoSub: needed.path("mosquitto_sub"),
      });
      await broker.subscribe();
      const sinks = [{ name: "north", type: "mqtt", url: broker.url, maxRetry: "1s" }];
      const gateway = await GatewayProcess.start({ dir: join(dir, "gateway"), settings: { sinks } });
      const statusOf = async () => (await gateway.call("GET", "/api/v1/status")).body;
      try {
        const device = await gateway.addDevice("attic-7");
        await broker.stop(); // so that there is a backlog to drain
        const fleet = new FleetProcess({ devices: [device], intervalMs: 20, drainMs: 30_000 });
        await until("a backlog is there", async () => (await statusOf()).acked > 50);
        fill(data);
        await until("intake is refused", async () => (await statusOf()).disk.full === true);
        const ackedWhenFull = (await statusOf()).acked;
        await broker.start();
        await drained(gateway);
        expect((await statusOf()).acked).toBeLessThanOrEqual(ackedWhenFull + 64); // what was under way, and no more
        await gateway.kill();
        fill(data);
        await gateway.start();
        expect((await gateway.call("GET", "/healthz")).status).toBe(200);
        free(data);
        // The gateway looks once a second; the device comes back in its own time.
        await until("there is space again", async () => (await statusOf()).disk.full === false);
        await until("intake goes on", async () => (await statusOf()).acked > 0, 60_000);
        const totals = await fleet.finish(60_000);
        await drained(gateway);
        await until("everything arrives", () => judge(totals, broker.received(), "count").missing === 0);
        expect(judge(totals, broker.received(), "count")).toMatchObject({
          ...{ faults: [], missing: 0, listed: 0, doubled: 0, altered: 0, outOfOrder: 0 },
        });
        expect(totals[0]?.acked).toBe(totals[0]?.attempted);
      } finally {
        await gateway.stop();
        await broker.end();
        execFileSync("umount", ["-l", data]);
        rmSync(dir, { recursive: true, force: true });
      }
    },
    TIMEOUT_MS,
  );
});
