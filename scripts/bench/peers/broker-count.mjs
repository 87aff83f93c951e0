// How much a Mosquitto has taken, as it tells itself under $SYS: the witness that neither side counts its own work.

import mqtt from "mqtt";

const MESSAGES = "$SYS/broker/publish/messages/received";
const BYTES = "$SYS/broker/publish/bytes/received";

/** Longer than two of the broker's intervals. */
const WAIT_MS_MAX = 5_000;

/**
 * Watches the broker on `port`.
 * @returns `atLeast(count)`: resolves with { messages, payloadBytes } once the broker has told of so many PUBLISHes,
 *   or with what it told last after `waitMs`, a few seconds; `end()`
 */
export async function watchBroker(port) {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4, reconnectPeriod: 0 });
  const told = { messages: 0, payloadBytes: 0 };
  let changed = () => {};
  client.on("message", (topic, payload) => {
    if (topic === MESSAGES) told.messages = Number(payload);
    if (topic === BYTES) told.payloadBytes = Number(payload);
    changed();
  });
  await client.subscribeAsync([MESSAGES, BYTES]);
  return {
    atLeast: async (count, waitMs = WAIT_MS_MAX) => {
      const deadlineMs = performance.now() + waitMs;
      while (told.messages < count && performance.now() < deadlineMs) {
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, 100);
          changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      // The two topics come one after the other.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { ...told };
    },
    end: () => client.endAsync(true),
  };
}
