/**
 * The peer of mqtt-drain.mjs: mqtt.js publishing the same messages from memory, QoS 1, as many in flight.
 *
 *   node scripts/bench/micro/mqttjs-peer.mjs PORT [SECONDS] [WINDOW]      with any broker listening on PORT
 */
import { connect } from "mqtt";

const [port = "1883", seconds = "5", window = "1000"] = process.argv.slice(2);
const client = connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
await new Promise((resolve) => client.once("connect", resolve));
let [sent, acked, isOver] = [0, 0, false];
function next() {
  if (isOver) return;
  sent += 1;
  const id = `attic-pi/attic-7/3405691582/${sent}`;
  const payload =
    `{"id":"${id}","device":"attic-7","readings":[` +
    `{"signal":"temperature","t":1700000000000,"v":21.4,"q":"good"}]}`;
  client.publish("tidegate/attic-pi/attic-7/data", payload, { qos: 1, properties: { userProperties: { id } } }, () => {
    acked += 1;
    next();
  });
}
for (let i = 0; i < Number(window); i++) next();
await new Promise((resolve) => setTimeout(resolve, 1_000));
const [from, cpuFrom, timeFrom] = [acked, process.cpuUsage(), performance.now()];
await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1_000));
const { user, system } = process.cpuUsage(cpuFrom);
const count = acked - from;
const perSecond = Math.round((count / (performance.now() - timeFrom)) * 1_000);
console.log(`mqtt.js ${perSecond} records/s, ${((user + system) / count).toFixed(2)} us CPU per record`);
isOver = true;
client.end(true);
