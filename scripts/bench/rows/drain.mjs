// T8: how fast a backlog leaves SQLite for a broker, beside a program that publishes as many messages from memory.
//
//   load.c ══ws══▶ gateway ──▶ spool.db         no broker: everything waits
//                     spool.db ──▶ sink ══QoS 1══▶ Mosquitto, started now; from its first to its last PUBACK
//   MQTT.js, the same messages from memory ═════▶ Mosquitto with the same configuration
//
// Both may have IN_FLIGHT messages unacknowledged. The broker's own counter ($SYS) has to confirm the number.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.mjs";
import { runLoad } from "../harness/load.mjs";
import { cpuSeconds, rssBytes } from "../harness/proc.mjs";
import { Program, pause, until } from "../harness/processes.mjs";
import { watchBroker } from "../peers/broker-count.mjs";
import { startMosquitto } from "../peers/mosquitto.mjs";

const RECORDS = { quick: 200_000, full: 1_000_000 };
const IN_FLIGHT = 2_000;
const DEVICES = 100;
const PUBLISHER = fileURLToPath(new URL("../peers/mqttjs-publisher.mjs", import.meta.url));

/** One float reading makes 15 bytes of telemetry and about 130 of JSON: what an ordinary sensor sends. */
const PAYLOAD_BYTES = 16;
const FILL_SECONDS_MAX = 240;
const DRAIN_MS_MAX = 240_000;
/** How often the sink is asked how far it is; a question costs the gateway well under a millisecond. */
const ASK_EVERY_MS = 25;

/** Mean payload of a drained record; the peer sends as many bytes. Before the first drain, what it will be about. */
let payloadBytes = 130;

async function measureOurs(bench) {
  const count = bench.isQuick ? RECORDS.quick : RECORDS.full;
  const fleet = await bench.fleet(DEVICES);
  const brokerPort = await freePort();
  const sink = { name: "bench", type: "mqtt", url: `mqtt://127.0.0.1:${brokerPort}`, commands: false };
  const settings = { sinks: [{ ...sink, inFlight: IN_FLIGHT, minRetry: "10ms", maxRetry: "100ms" }] };
  return fleet.withGateway(settings, async (gateway) => {
    await runLoad(bench.loadProgram, {
      ...{ mode: "ws", port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile },
      ...{ conns: DEVICES, inflight: 32, payload: PAYLOAD_BYTES, messages: count / DEVICES, seconds: FILL_SECONDS_MAX },
    });
    await quiet(gateway.pid);
    const folder = bench.newFolder();
    const broker = await startMosquitto(folder, brokerPort);
    try {
      return await drain(gateway, broker, count);
    } finally {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** From the first PUBACK seen to the last. */
async function drain(gateway, broker, count) {
  const witness = await watchBroker(broker.port);
  const samples = [];
  const [cpuBefore, brokerCpuBefore] = [cpuSeconds(gateway.pid), cpuSeconds(broker.pid)];
  await until(
    "the backlog was gone",
    async () => {
      await pause(ASK_EVERY_MS);
      const { deliveredCount, backlog } = await gateway.sink();
      samples.push({ deliveredCount, atMs: performance.now() });
      return deliveredCount >= count && backlog.count === 0;
    },
    { timeoutMs: DRAIN_MS_MAX },
  );
  const cpu = cpuSeconds(gateway.pid) - cpuBefore;
  const brokerCpu = cpuSeconds(broker.pid) - brokerCpuBefore;
  const first = samples.find(({ deliveredCount }) => deliveredCount > 0);
  const last = samples.find(({ deliveredCount }) => deliveredCount >= count);
  const seconds = (last.atMs - first.atMs) / 1000;
  const told = await witness.atLeast(count);
  await witness.end();
  if (told.messages < count) throw gateway.failure(`the broker counted ${told.messages} of ${count} messages`);
  payloadBytes = Math.round(told.payloadBytes / told.messages);
  return {
    value: (last.deliveredCount - first.deliveredCount) / seconds,
    columns: columnsOf({ cpu, brokerCpu, count, seconds, pid: gateway.pid }),
  };
}

async function measureMqttJs(bench) {
  const count = bench.isQuick ? RECORDS.quick : RECORDS.full;
  const folder = bench.newFolder();
  const broker = await startMosquitto(folder);
  const args = [PUBLISHER, broker.port, count, payloadBytes, IN_FLIGHT, DEVICES].map(String);
  const publisher = new Program(process.execPath, args, { hasChannel: true });
  try {
    const witness = await watchBroker(broker.port);
    await publisher.message();
    const [cpuBefore, brokerCpuBefore] = [cpuSeconds(publisher.pid), cpuSeconds(broker.pid)];
    publisher.send({ go: true });
    const { acked, seconds } = await publisher.message();
    const cpu = (cpuSeconds(publisher.pid) ?? cpuBefore) - cpuBefore;
    const brokerCpu = cpuSeconds(broker.pid) - brokerCpuBefore;
    const columns = columnsOf({ cpu, brokerCpu, count, seconds, pid: publisher.pid });
    const told = await witness.atLeast(count);
    await witness.end();
    if (told.messages < count) throw publisher.failure(`the broker counted ${told.messages} of ${count} messages`);
    return { value: acked / seconds, columns };
  } finally {
    await publisher.kill();
    await broker.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

const columnsOf = ({ cpu, brokerCpu, count, seconds, pid }) => ({
  "payload B": payloadBytes,
  "CPU s/million": cpu / (count / 1e6),
  "broker CPU share": brokerCpu / seconds,
  "RSS MB": (rssBytes(pid) ?? 0) / 1e6,
});

/** Waits until the gateway has finished what the filling left it to do, its history foremost. */
async function quiet(pid) {
  const BUSY_SHARE_MAX = 0.05;
  let before = cpuSeconds(pid);
  await until(
    "the gateway was at rest after the filling",
    async () => {
      await pause(500);
      const after = cpuSeconds(pid);
      const share = (after - before) / 0.5;
      before = after;
      return share <= BUSY_SHARE_MAX;
    },
    { timeoutMs: 120_000 },
  );
}

/** The backlog's way out. */
export const t8 = {
  id: "T8",
  title: `backlog to Mosquitto QoS 1, ${IN_FLIGHT} in flight`,
  unit: "records/s",
  against: "mqttjs",
  direction: "atLeast",
  target: 1.5,
  rounds: { quick: 1, full: 3 },
  programs: { ours: ["mosquitto"], mqttjs: ["mosquitto"] },
  contenders: { ours: measureOurs, mqttjs: measureMqttJs },
};
