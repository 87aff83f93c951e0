// T10: what a record writes to the disk when devices send one a second, as sensors do: the way a gateway with an SD
// card is set (one commit a second), beside the way one with a disk is (a commit as soon as the last one is done).
//
//   100 devices, 1 record/s each ──▶ gateway ──▶ spool.db, taken by Mosquitto and deleted        write_bytes / records
//
// A record is one float reading: 15 bytes of payload.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.mjs";
import { cpuSeconds, writtenBytes } from "../harness/proc.mjs";
import { Program, pause } from "../harness/processes.mjs";
import { startMosquitto } from "../peers/mosquitto.mjs";

const DEVICES = 100;
const EVERY_MS = 1_000;
const SECONDS = { quick: 15, full: 120 };
const SETTLE_MS = 2_000;
const BYTES_MAX = 100;
const PACED = fileURLToPath(new URL("../peers/paced-devices.mjs", import.meta.url));

function contender(commitInterval) {
  return async (bench) => {
    const folder = bench.newFolder();
    const broker = await startMosquitto(folder, await freePort());
    const sinks = [{ name: "bench", type: "mqtt", url: `mqtt://127.0.0.1:${broker.port}`, commands: false }];
    try {
      const storage = { commitInterval };
      const fleet = await bench.fleet(DEVICES, storage);
      const settings = { sinks, storage, history: { enabled: false } };
      return await fleet.withGateway(settings, (gateway) => weigh(bench, fleet, gateway));
    } finally {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

async function weigh(bench, fleet, gateway) {
  const args = [PACED, gateway.devicesPort, fleet.tokensFile, DEVICES, EVERY_MS].map(String);
  const devices = new Program(process.execPath, args, { hasChannel: true });
  try {
    await devices.message();
    await pause(SETTLE_MS);
    const before = await lookAt(gateway, devices);
    await pause((bench.isQuick ? SECONDS.quick : SECONDS.full) * 1000);
    const after = await lookAt(gateway, devices);
    const records = after.acked - before.acked;
    const perRecord = (after.bytes - before.bytes) / records;
    return {
      value: perRecord,
      columns: {
        "B/record": perRecord,
        "records/s": (records / (after.atMs - before.atMs)) * 1000,
        "CPU ms/s": ((after.cpu - before.cpu) / (after.atMs - before.atMs)) * 1e6,
      },
    };
  } finally {
    await devices.kill();
  }
}

async function lookAt(gateway, devices) {
  devices.send({ acked: true });
  const { acked } = await devices.message();
  return { acked, bytes: writtenBytes(gateway.pid), cpu: cpuSeconds(gateway.pid), atMs: performance.now() };
}

/** The life of an SD card. */
export const t10 = {
  id: "T10",
  title: "disk bytes per record, 100 devices × 1/s, a commit a second",
  unit: "B",
  against: "prompt",
  direction: "atMost",
  target: 1,
  rounds: { quick: 1, full: 1 },
  programs: { ours: ["mosquitto"], prompt: ["mosquitto"] },
  contenders: { ours: contender("1s"), prompt: contender("0s") },
  conditions: (columns) => [{ name: `≤ ${BYTES_MAX} B/record`, met: columns["B/record"] <= BYTES_MAX }],
};
