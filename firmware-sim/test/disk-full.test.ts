/**
 * A full disk, which somebody else fills. Twice: on a disk that the preloaded library makes small, which works
 * everywhere; and, where this user may mount one, on a tmpfs.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { BrokerProcess } from "../src/rehearse/broker-process.js";
import { until } from "../src/rehearse/child.js";
import { Faultline } from "../src/rehearse/faultline.js";
import { FleetProcess } from "../src/rehearse/fleet-process.js";
import { GatewayProcess } from "../src/rehearse/gateway-process.js";
import { drained } from "../src/rehearse/outage.js";
import { judge } from "../src/rehearse/verdict.js";

const needed = requires("mosquitto", "mosquitto_sub", "cc");
const DISK_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 400_000;

function mounted(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A disk on which a data folder lies. */
interface SmallDisk {
  readonly env: Readonly<Record<string, string>>;
  /** Somebody else takes what is left, to the last block. */
  fill(): void;
  /** And removes all of it. */
  free(): void;
  remove(): void;
}

function tmpfsAt(data: string): SmallDisk {
  mounted(data);
  return {
    env: {},
    fill: () => {
      const piece = Buffer.alloc(256 * 1024);
      for (let i = 0; statfsSync(data).bavail > 0; i++) {
        try {
          writeFileSync(join(data, `filler-${i}`), piece);
        } catch {
          return;
        }
      }
    },
    free: () => void execFileSync("sh", ["-c", `rm -f '${data}'/filler-*`]),
    remove: () => void execFileSync("umount", ["-l", data]),
  };
}

function limitedAt(data: string, dir: string): SmallDisk {
  const faults = new Faultline(dir, data);
  faults.limitDisk(DISK_BYTES);
  return {
    env: faults.env,
    fill: () => faults.limitDisk(0),
    free: () => faults.freeDisk(DISK_BYTES),
    remove: () => faults.close(),
  };
}

/** Where no tmpfs may be mounted, the limited disk says the same. */
const DISKS: readonly (readonly [name: string, make: (data: string, dir: string) => SmallDisk])[] = [
  ["small", limitedAt],
  ...(mayMount() ? [["tmpfs", tmpfsAt] as const] : []),
];

function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-mount-"));
  const may = mounted(folder);
  if (may) execFileSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true, force: true });
  return may;
}

for (const [name, diskAt] of DISKS) {
  needed.describe(`a disk that somebody else fills (${name})`, () => {
    needed.it(
      "stops the acks and nothing else: the backlog drains, a restart works, and intake goes on when it is freed",
      async () => {
        const dir = mkdtempSync(join(tmpdir(), "tidegate-disk-"));
        const data = join(dir, "gateway", "data");
        const disk = diskAt(data, dir);
        const broker = await BrokerProcess.start({
          ...{ dir: join(dir, "broker"), mosquitto: needed.path("mosquitto") },
          mosquittoSub: needed.path("mosquitto_sub"),
        });
        await broker.subscribe();
        const sinks = [{ name: "north", type: "mqtt", url: broker.url, maxRetry: "1s" }];
        const gateway = await GatewayProcess.start({ dir: join(dir, "gateway"), settings: { sinks }, env: disk.env });
        const statusOf = async () => (await gateway.call("GET", "/api/v1/status")).body;
        try {
          const device = await gateway.addDevice("attic-7");
          await broker.stop(); // so that there is a backlog to drain
          const fleet = new FleetProcess({ devices: [device], intervalMs: 20, drainMs: 30_000 });
          await until("a backlog is there", async () => (await statusOf()).acked > 50);
          disk.fill();
          await until("intake is refused", async () => (await statusOf()).disk.full === true);
          const ackedWhenFull = (await statusOf()).acked;
          await broker.start();
          await drained(gateway);
          expect((await statusOf()).acked).toBeLessThanOrEqual(ackedWhenFull + 64); // what was under way, and no more
          await gateway.kill();
          disk.fill();
          await gateway.start();
          expect((await gateway.call("GET", "/healthz")).status).toBe(200);
          disk.free();
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
          disk.remove();
          rmSync(dir, { recursive: true, force: true });
        }
      },
      TIMEOUT_MS,
    );
  });
}
