/**
 * How fast a backlog drains into Mosquitto: the production sink, fed from memory, QoS 1, cursor and all.
 *
 *   npm run build && node scripts/bench/micro/mqtt-drain.mjs [--seconds 5] [--window 1000] [--inflight 0]
 *
 * `--inflight` is Mosquitto's max_inflight_messages (0: as it comes, Receive Maximum 20). Prints records per second,
 * payload bytes, and the CPU time per record of this process.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SystemClock } from "../../../gateway/dist/core/clock.js";
import { SILENT } from "../../../gateway/dist/core/log.js";
import { Metrics } from "../../../gateway/dist/core/metrics.js";
import { SystemRandom } from "../../../gateway/dist/core/random.js";
import { MqttSink } from "../../../gateway/dist/northbound/mqtt-sink.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "5" },
    window: { type: "string", default: "1000" },
    inflight: { type: "string", default: "0" },
  },
});
const SECONDS = Math.min(60, Number(values.seconds));
const ROWS = 2_000;

const folder = mkdtempSync(join(tmpdir(), "tidegate-drain-"));
const port = await freePort();
const inflight = Number(values.inflight) > 0 ? `max_inflight_messages ${values.inflight}\n` : "";
writeFileSync(join(folder, "m.conf"), `listener ${port} 127.0.0.1\nuser root\nallow_anonymous true\n${inflight}`);
const broker = spawn("mosquitto", ["-c", join(folder, "m.conf")], { stdio: "ignore" });

const payload = (id) =>
  `{"id":"attic-pi/attic-7/3405691582/${id}","device":"attic-7","readings":[` +
  `{"signal":"temperature","t":1700000000000,"v":21.4,"q":"good"}]}`;

/** Slices made in memory, so that only the sink is measured. */
function slice(afterId) {
  const rows = Array.from({ length: ROWS }, (_, i) => Buffer.from(payload(afterId + 1 + i)));
  const offsets = new Uint32Array(ROWS + 1);
  rows.forEach((row, i) => {
    offsets[i + 1] = offsets[i] + row.length;
  });
  return {
    scannedToId: afterId + ROWS,
    more: true,
    count: ROWS,
    ids: Float64Array.from(rows, (_, i) => afterId + 1 + i),
    kinds: new Uint8Array(ROWS).fill(1),
    epochs: new Uint32Array(ROWS),
    seqs: new Uint32Array(ROWS),
    deviceOf: new Uint32Array(ROWS),
    devices: ["attic-7"],
    topicOf: new Uint32Array(ROWS),
    topics: ["attic-7/data"],
    offsets,
    bytes: Buffer.concat(rows),
    responses: new Map(),
  };
}

const sink = new MqttSink(
  {
    name: "bench",
    gatewayId: "attic-pi",
    url: `mqtt://127.0.0.1:${port}`,
    limits: { window: Number(values.window), backoffBaseMs: 50 },
  },
  {
    reader: { rendered: async (afterId) => slice(afterId) },
    spool: { saveCursor() {}, quarantine: async () => {} },
    cursor: 0,
    clock: new SystemClock(),
    random: new SystemRandom(),
    log: SILENT,
    metrics: new Metrics(),
  },
);
sink.start();
while (sink.status().deliveredCount < 20_000) await new Promise((resolve) => setTimeout(resolve, 20));
const [from, cpuFrom, timeFrom] = [sink.status().deliveredCount, process.cpuUsage(), performance.now()];
await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
const records = sink.status().deliveredCount - from;
const { user, system } = process.cpuUsage(cpuFrom);
const perSecond = Math.round((records / (performance.now() - timeFrom)) * 1_000);
const cpuUs = ((user + system) / records).toFixed(2);
const payloadBytes = payload(1_000_000).length;
console.log(`${perSecond} records/s, ${payloadBytes} B payload, ${cpuUs} us CPU per record (making slices included)`);
await sink.stop();
broker.kill("SIGKILL");
rmSync(folder, { recursive: true, force: true });

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
