// T4: what a connected device that says nothing costs in memory, beside the least that a wss server can be.
//
//   (resident memory with N devices − with none) / N        both on the same certificate, TLS 1.3, N full handshakes
//
// The devices live in processes of their own, and answer pings, as the protocol wants from every device.

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fleetSize } from "../harness/fleet-size.mjs";
import { cpuSeconds, rssBytes } from "../harness/proc.mjs";
import { Program, pause } from "../harness/processes.mjs";

const DEVICES = { quick: 1_000, full: 10_000 };
const CLIENT_PROCESSES = 4;
const DEVICES_PROGRAM = fileURLToPath(new URL("../peers/idle-devices.mjs", import.meta.url));
const BARE_PROGRAM = fileURLToPath(new URL("../peers/bare-ws-server.mjs", import.meta.url));

/** Time for what starting and handshakes left behind: memory is read when it has stopped falling. */
const SETTLE_MS = { quick: 3_000, full: 10_000 };
const RSS_TOTAL_MB_MAX = 400;

async function measureOurs(bench) {
  const count = fleetSize(bench, DEVICES);
  const fleet = await bench.fleet(count);
  return fleet.withGateway({ devices: { tls: "site" } }, async (gateway) => {
    const measure = await connectAndWeigh(bench, fleet, {
      ...{ pid: gateway.pid, port: gateway.devicesPort, speaks: "tidegate" },
      links: async () => (await gateway.status()).devices.online,
    });
    measure.columns["event loop p99 ms"] = (await gateway.status()).eventLoopDelayMs.p99;
    return measure;
  });
}

async function measureBare(bench) {
  const fleet = await bench.fleet(fleetSize(bench, DEVICES));
  const pki = join(fleet.dataDir, "pki");
  const args = [BARE_PROGRAM, join(pki, "gateway.crt"), join(pki, "gateway.key")];
  const server = new Program(process.execPath, args, { hasChannel: true });
  try {
    const { port } = await server.message();
    return await connectAndWeigh(bench, fleet, {
      ...{ pid: server.pid, port, speaks: "nothing" },
      links: async () => {
        server.send({ count: true });
        return (await server.message()).links;
      },
    });
  } finally {
    await server.kill();
  }
}

async function connectAndWeigh(bench, fleet, { pid, port, speaks, links }) {
  const count = fleetSize(bench, DEVICES);
  const rssWithNone = await settledRss(bench, pid);
  const [from, cpuBefore] = [performance.now(), cpuSeconds(pid)];
  const clients = Array.from({ length: CLIENT_PROCESSES }, (_, i) => {
    const [first, end] = [i, i + 1].map((part) => Math.round((count * part) / CLIENT_PROCESSES));
    const args = [DEVICES_PROGRAM, port, fleet.caFile, fleet.tokensFile, first, end - first, speaks].map(String);
    return new Program(process.execPath, args, { hasChannel: true });
  });
  try {
    await Promise.all(clients.map((client) => client.message()));
    const seconds = (performance.now() - from) / 1000;
    const cpu = cpuSeconds(pid) - cpuBefore;
    const rss = await settledRss(bench, pid);
    const online = await links();
    if (online !== count) throw new Error(`${online} of ${count} devices are connected`);
    return {
      value: (rss - rssWithNone) / count / 1000,
      columns: {
        "RSS MB": rss / 1e6,
        "RSS MB with none": rssWithNone / 1e6,
        "connected/s": count / seconds,
        "CPU ms/connection": (cpu / count) * 1000,
      },
    };
  } finally {
    await Promise.all(clients.map((client) => client.kill()));
  }
}

/** The least that was seen in the last part of the settling time. */
async function settledRss(bench, pid) {
  const settleMs = bench.isQuick ? SETTLE_MS.quick : SETTLE_MS.full;
  await pause(settleMs / 2);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    await pause(settleMs / 20);
    least = Math.min(least, rssBytes(pid) ?? Number.POSITIVE_INFINITY);
  }
  return least;
}

/** The product of a gateway's first promise to a fleet: all of it fits. */
export const t4 = {
  id: "T4",
  title: "memory per idle wss device, TLS 1.3",
  unit: "kB",
  against: "ws",
  direction: "atMost",
  target: 1.2,
  rounds: { quick: 1, full: 1 },
  programs: {},
  contenders: { ours: measureOurs, ws: measureBare },
  conditions: (columns) => [
    { name: `all of it in ≤ ${RSS_TOTAL_MB_MAX} MB`, met: columns["RSS MB"] <= RSS_TOTAL_MB_MAX },
  ],
};
