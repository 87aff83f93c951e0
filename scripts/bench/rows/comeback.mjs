// T5: the whole fleet comes back after the gateway was killed, as after a power cut: how long until every device is
// acknowledged again, and whether the gateway still listens to anybody meanwhile.
//
//   N devices, each with an acknowledged message ─▶ kill -9 ─▶ start again ─▶ … ─▶ a new message of each acknowledged
//
// The peer is the least that a wss server can be; there a device is back when it is connected.

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fleetSize } from "../harness/fleet-size.mjs";
import { freePort } from "../harness/free-port.mjs";
import { Gateway } from "../harness/gateway.mjs";
import { cpuSeconds } from "../harness/proc.mjs";
import { Program, pause } from "../harness/processes.mjs";

const DEVICES = { quick: 500, full: 10_000 };
const CLIENT_PROCESSES = 4;
const FIRST_MS_MAX = 300_000;
const BACK_MS_MAX = 180_000;
const SECONDS_MAX = 30;
const LOOP_MS_MAX = 200;
const DEVICES_PROGRAM = fileURLToPath(new URL("../peers/returning-devices.mjs", import.meta.url));
const BARE_PROGRAM = fileURLToPath(new URL("../peers/bare-ws-server.mjs", import.meta.url));

async function measureOurs(bench) {
  const fleet = await bench.fleet(fleetSize(bench, DEVICES));
  const folder = bench.newFolder();
  cpSync(fleet.dataDir, join(folder, "data"), { recursive: true });
  const port = await freePort();
  // The doors as everybody has them: how many are let in at once is part of the answer.
  const doors = { handshakesPerSecond: undefined, maxHandshakes: undefined };
  const start = () => Gateway.start(folder, { devices: { tls: "site", listen: `127.0.0.1:${port}`, ...doors } });
  let gateway = await start();
  try {
    return await measure(bench, fleet, {
      ...{ port, speaks: "tidegate", pid: () => gateway.pid },
      restart: async () => {
        await gateway.kill();
        gateway = await start();
      },
      loopMs: async () => (await gateway.status()).eventLoopDelayMs.p99,
    });
  } finally {
    await gateway.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureBare(bench) {
  const fleet = await bench.fleet(fleetSize(bench, DEVICES));
  const pki = join(fleet.dataDir, "pki");
  const port = await freePort();
  const start = async () => {
    const args = [BARE_PROGRAM, join(pki, "gateway.crt"), join(pki, "gateway.key"), String(port)];
    const server = new Program(process.execPath, args, { hasChannel: true });
    await server.message();
    return server;
  };
  let server = await start();
  try {
    return await measure(bench, fleet, {
      ...{ port, speaks: "nothing", pid: () => server.pid },
      restart: async () => {
        await server.kill();
        server = await start();
      },
      loopMs: async () => null,
    });
  } finally {
    await server.kill();
  }
}

async function measure(bench, fleet, { port, speaks, pid, restart, loopMs }) {
  const count = fleetSize(bench, DEVICES);
  const clients = Array.from({ length: CLIENT_PROCESSES }, (_, i) => {
    const [first, end] = [i, i + 1].map((part) => Math.round((count * part) / CLIENT_PROCESSES));
    const args = [DEVICES_PROGRAM, port, fleet.caFile, fleet.tokensFile, first, end - first, speaks].map(String);
    return new Program(process.execPath, args, { hasChannel: true });
  });
  try {
    await allReady(clients, count, FIRST_MS_MAX);
    const from = performance.now();
    await restart();
    const up = performance.now();
    // What starting costs is not the devices' part: with few of them it would be most of it.
    const cpuOfStart = cpuSeconds(pid()) ?? 0;
    const { lost, refused } = await allReady(clients, count, BACK_MS_MAX);
    return {
      value: (performance.now() - from) / 1_000,
      columns: {
        "restart s": (up - from) / 1_000,
        "CPU ms/device": (((cpuSeconds(pid()) ?? 0) - cpuOfStart) / count) * 1_000,
        "CPU s of the start": cpuOfStart,
        "event loop p99 ms": await loopMs(),
        "sent away": refused,
        lost: lost,
      },
    };
  } finally {
    await Promise.all(clients.map((client) => client.kill()));
  }
}

/** Reads what the clients tell until everybody is ready. A report of before the restart cannot say so: it is older. */
async function allReady(clients, count, msMax) {
  const latest = new Map();
  const deadlineMs = performance.now() + msMax;
  await pause(300);
  for (const client of clients) client.forget();
  while (performance.now() < deadlineMs) {
    for (const client of clients) latest.set(client, await client.message());
    const sum = (name) => [...latest.values()].reduce((total, told) => total + told[name], 0);
    if (sum("ready") === count) return { lost: sum("lost"), refused: sum("refused") };
  }
  const ready = [...latest.values()].map((told) => told.ready).join(" + ");
  throw new Error(`only ${ready} of ${count} devices were ready after ${msMax / 1_000} s`);
}

/** The morning after the power cut. */
export const t5 = {
  id: "T5",
  title: "all devices back and acknowledged after kill -9",
  unit: "s",
  against: "ws",
  direction: "atMost",
  target: 3,
  rounds: { quick: 1, full: 1 },
  programs: {},
  contenders: { ours: measureOurs, ws: measureBare },
  conditions: (columns, medians) => [
    { name: `within ${SECONDS_MAX} s`, met: medians.ours <= SECONDS_MAX },
    { name: `event loop p99 ≤ ${LOOP_MS_MAX} ms`, met: columns["event loop p99 ms"] <= LOOP_MS_MAX },
    { name: "nothing acknowledged is lost", met: columns.lost === 0 },
  ],
};
