// T9: a command's round trip beside a bare echo, both while RATE messages a second come in from other devices.
//
//   POST /commands ─▶ made and "sent", durable ─▶ device ─▶ its answer durable ─▶ Ack      two commits in a row
//   message ─▶ ws ─▶ the same message                                                      no commit
//
// Each of the two commits may find the disk at work on the load's own. So between the trips, under the same load, an
// fsync of the same disk is timed as well: twice that, and the wait before it, is what physics asks of a durable
// command. The peer gets the same pauses with the same fsyncs.
//
// Without TLS on either side: the load generator speaks none.

import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { startLoad } from "../harness/load.mjs";
import { Program, pause } from "../harness/processes.mjs";
import { CommandedDevice } from "../peers/commanded-device.mjs";

const DEVICES = 100;
const RATE = 1_000;
const TRIPS = { quick: 100, full: 500 };
/** Between two round trips, so that they meet the load at different moments. */
const PAUSE_MS = 7;
const WARM_UP_MS = 1_000;
/** The pages that are written over and over, as a WAL in use is: no fsync has to make the file longer. */
const PROBE_PAGES = 64;
const PAGE_BYTES = 4_096;
const TRIP_MS_MAX = 10_000;
const ECHO_SERVER = fileURLToPath(new URL("../peers/echo-server.mjs", import.meta.url));

async function measureOurs(bench) {
  const fleet = await bench.fleet(DEVICES + 1);
  return fleet.withGateway({ history: { enabled: false } }, async (gateway) => {
    // The last one of the fleet is commanded; the others make the load.
    const credential = readFileSync(fleet.tokensFile, "utf8").trim().split("\n").at(-1).split(" ");
    const device = await CommandedDevice.connect(gateway.devicesPort, credential);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const target = { port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile };
    try {
      return await underLoad(bench, target, async () => {
        const done = device.roundTrip();
        await post(agent, gateway, credential[0]);
        await done;
      });
    } finally {
      device.close();
      agent.destroy();
    }
  });
}

async function measureEcho(bench) {
  const fleet = await bench.fleet(DEVICES + 1);
  const server = new Program(process.execPath, [ECHO_SERVER], { hasChannel: true });
  try {
    const { port } = await server.message();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, { perMessageDeflate: false });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const target = { port, pid: server.pid, tokens: fleet.tokensFile };
    const message = Buffer.alloc(32, 1);
    const measure = await underLoad(bench, target, () => {
      const back = new Promise((resolve) => socket.once("message", resolve));
      socket.send(message);
      return back;
    });
    socket.terminate();
    return measure;
  } finally {
    await server.kill();
  }
}

/** Round trips one after another while the others send. */
async function underLoad(bench, target, trip) {
  const count = bench.isQuick ? TRIPS.quick : TRIPS.full;
  const load = startLoad(bench.loadProgram, {
    ...{ mode: "ws", conns: DEVICES, inflight: 32, payload: 64, rate: RATE, seconds: 600, ...target },
  });
  load.answer.catch(() => {});
  const probe = openProbe(bench.newFolder());
  try {
    await pause(WARM_UP_MS);
    const times = [];
    const fsyncs = [];
    for (let i = 0; i < count; i++) {
      const from = performance.now();
      await inTime(trip());
      times.push(performance.now() - from);
      await pause(PAUSE_MS);
      fsyncs.push(probe.fsyncMs());
    }
    const [tripAt, fsyncAt] = [quantiles(times), quantiles(fsyncs)];
    return {
      value: tripAt(0.99),
      columns: {
        ...{ "p50 ms": tripAt(0.5), "p90 ms": tripAt(0.9), "max ms": tripAt(1) },
        ...{ "fsync p50 ms": fsyncAt(0.5), "fsync p99 ms": fsyncAt(0.99) },
      },
    };
  } finally {
    probe.close();
    await load.program.kill();
  }
}

function quantiles(values) {
  values.sort((a, b) => a - b);
  return (share) => values[Math.min(values.length - 1, Math.floor(values.length * share))];
}

/** A file on the disk that is measured, for what one fsync of it takes. */
function openProbe(folder) {
  const file = openSync(join(folder, "probe"), "w");
  const page = Buffer.alloc(PAGE_BYTES, 1);
  writeSync(file, Buffer.alloc(PAGE_BYTES * PROBE_PAGES));
  fdatasyncSync(file);
  let count = 0;
  return {
    fsyncMs() {
      const from = performance.now();
      writeSync(file, page, 0, PAGE_BYTES, (count++ % PROBE_PAGES) * PAGE_BYTES);
      fdatasyncSync(file);
      return performance.now() - from;
    },
    close() {
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function inTime(trip) {
  const late = pause(TRIP_MS_MAX).then(() => "late");
  return Promise.race([trip, late]).then((what) => {
    if (what === "late") throw new Error(`a round trip took more than ${TRIP_MS_MAX} ms`);
  });
}

/** Sends a command; resolves with the answer's end, 202. */
function post(agent, gateway, device) {
  const body = JSON.stringify({ name: "fan", args: { on: true }, delivery: "atLeastOnce" });
  const headers = {
    authorization: `Bearer ${gateway.adminToken}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  const path = `/api/v1/devices/${device}/commands`;
  return new Promise((resolve, reject) => {
    const asked = request({ agent, port: gateway.adminPort, host: "127.0.0.1", method: "POST", path, headers });
    asked.once("error", reject);
    asked.once("response", (response) => {
      response.resume();
      response.once("end", resolve);
      if (response.statusCode !== 202) reject(new Error(`POST ${path} answered ${response.statusCode}`));
    });
    asked.end(body);
  });
}

/** What a hand on a switch waits for. */
export const t9 = {
  id: "T9",
  title: `command round trip, p99, under ${RATE.toLocaleString("en-US")} messages/s`,
  unit: "ms",
  against: "ws",
  direction: "atMost",
  target: 2,
  rounds: { quick: 1, full: 3 },
  programs: {},
  contenders: { ours: measureOurs, ws: measureEcho },
};
