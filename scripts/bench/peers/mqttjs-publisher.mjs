// A process that publishes with MQTT.js from memory: the peer of the drain.
//
//   mqttjs-publisher.mjs PORT COUNT PAYLOAD_BYTES IN_FLIGHT TOPICS
//
// Sends { connected: true } when connected, begins at { go: true }, and sends { acked, seconds } after the last PUBACK.
// Messages are as the gateway's sink sends them: MQTT 5, QoS 1, as many bytes, the id as a user property.

import mqtt from "mqtt";

const [port, count, payloadBytes, inFlight, topicCount] = process.argv.slice(2).map(Number);

process.once("disconnect", () => process.exit(1));
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0 });
process.send({ connected: true });
await new Promise((resolve) => process.once("message", resolve));

const topics = Array.from({ length: topicCount }, (_, i) => `tidegate/bench/bench-${String(i).padStart(5, "0")}/data`);
const filler = "x".repeat(payloadBytes);
const from = performance.now();
let sent = 0;
let acked = 0;
await new Promise((resolve, reject) => {
  const next = () => {
    if (sent === count) return;
    sent += 1;
    const id = `bench/bench-00000/3405691582/${sent}`;
    // The number makes each message its own text, as it would be from an application.
    const payload = `${sent}${filler}`.slice(0, payloadBytes);
    client.publish(topics[sent % topicCount], payload, { qos: 1, properties: { userProperties: { id } } }, (error) => {
      if (error) reject(error);
      acked += 1;
      if (acked === count) resolve();
      else next();
    });
  };
  for (let i = 0; i < inFlight; i++) next();
});
process.send({ acked, seconds: (performance.now() - from) / 1000 });
await client.endAsync();
process.disconnect();
