// T1 and T2: messages acknowledged per second. Ours after an fsync; the peers' from memory (Mosquitto) or without one
// (NATS). The same generator feeds all, with the same payload.
//
//   load.c ══ws══▶ gateway ──▶ spool.db, fsync ──▶ ack
//          ══mqtt══▶ Mosquitto | NATS, queueing for a subscriber that is away ──▶ PUBACK
//          ══ws══▶ `ws`, which keeps nothing ──▶ ack        what sockets alone cost in one thread of Node (T2)

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { measureOf, runLoad } from "../harness/load.mjs";
import { Program } from "../harness/processes.mjs";
import { startMosquitto } from "../peers/mosquitto.mjs";
import { startNats } from "../peers/nats.mjs";
import { leaveSubscription } from "../peers/offline-subscriber.mjs";

const PAYLOAD_BYTES = 64;
const SECONDS = { quick: 2, full: 5 };
const ECHO_SERVER = fileURLToPath(new URL("../peers/echo-server.mjs", import.meta.url));

/** @param {{ conns: number, inflight: number }} shape */
function contenders(shape) {
  const options = (bench) => ({
    ...shape,
    payload: PAYLOAD_BYTES,
    seconds: bench.isQuick ? SECONDS.quick : SECONDS.full,
  });
  return {
    ours: async (bench) => {
      const fleet = await bench.fleet(shape.conns);
      return fleet.withGateway({ history: { enabled: false } }, async (gateway) => {
        const target = { mode: "ws", port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile };
        const measure = measureOf(await runLoad(bench.loadProgram, { ...options(bench), ...target }));
        const { eventLoopDelayMs } = await gateway.status();
        measure.columns["event loop p99 ms"] = eventLoopDelayMs.p99;
        return measure;
      });
    },
    mosquitto: (bench) => measureBroker(bench, startMosquitto, options(bench)),
    nats: (bench) => measureBroker(bench, startNats, options(bench)),
  };
}

async function measureBroker(bench, start, options) {
  const folder = bench.newFolder();
  const broker = await start(folder);
  try {
    await leaveSubscription(broker.port, "bench/#");
    const target = { mode: "mqtt", port: broker.port, pid: broker.pid };
    return measureOf(await runLoad(bench.loadProgram, { ...options, ...target }));
  } finally {
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same devices at a server that acknowledges every message by itself, at once, and keeps nothing. */
async function measureBare(bench, shape) {
  const fleet = await bench.fleet(shape.conns);
  const server = new Program(process.execPath, [ECHO_SERVER], { hasChannel: true });
  try {
    const { port } = await server.message();
    const seconds = bench.isQuick ? SECONDS.quick : SECONDS.full;
    const target = { mode: "ws", port, pid: server.pid, tokens: fleet.tokensFile };
    return measureOf(await runLoad(bench.loadProgram, { ...shape, payload: PAYLOAD_BYTES, seconds, ...target }));
  } finally {
    await server.kill();
  }
}

const common = {
  unit: "acked/s",
  direction: "atLeast",
  rounds: { quick: 1, full: 3 },
  programs: { mosquitto: ["mosquitto"], nats: ["nats-server"] },
};

/** Deep pipelines: what group commit is for. */
export const t1 = {
  ...common,
  id: "T1",
  title: `durable ingest, 100 × 32 in flight, ${PAYLOAD_BYTES} B`,
  against: "fastest",
  target: 4,
  contenders: contenders({ conns: 100, inflight: 32 }),
};

const SINGLES = { conns: 1000, inflight: 1 };

/** One message each: the whole path as latency. */
export const t2 = {
  ...common,
  id: "T2",
  title: `durable ingest, 1,000 × 1 in flight, ${PAYLOAD_BYTES} B`,
  against: "mosquitto",
  target: 1,
  contenders: { ...contenders(SINGLES), ws: (bench) => measureBare(bench, SINGLES) },
};
