// The subscriber that every MQTT peer keeps messages for: it came once, asked for everything with QoS 1 in a session
// that stays, and left.

import mqtt from "mqtt";

/** Subscribes at the broker on `port` to `topic` and leaves. */
export async function leaveSubscription(port, topic) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: "bench-offline",
    clean: false,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });
  await client.subscribeAsync(topic, { qos: 1 });
  await client.endAsync();
}
