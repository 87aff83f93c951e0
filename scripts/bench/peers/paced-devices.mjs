// A process full of devices that each send one reading in a while, as sensors do, over plain WebSocket.
//
//   paced-devices.mjs PORT TOKENS_FILE COUNT EVERY_MS
//
// Sends { connected: COUNT } when all were welcomed. Asked { acked: true }, answers { acked } with the messages that
// were acknowledged so far. Their turns are spread over the period.

import { readFileSync } from "node:fs";
import { DEVICE_PATH, decodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import { WebSocket } from "ws";
import { helloBytes, reportBytes } from "./hello.mjs";

const [port, tokensFile, count, everyMs] = process.argv.slice(2);
const devices = readFileSync(tokensFile, "utf8")
  .split("\n")
  .slice(0, Number(count))
  .map((line) => line.split(" "));

/** By device: the highest number acknowledged, which is how many of its messages are stored. */
const marks = new Map();

process.once("disconnect", () => process.exit(0));
process.on("message", () => process.send({ acked: [...marks.values()].reduce((sum, mark) => sum + mark, 0) }));

await Promise.all(devices.map(connect));
process.send({ connected: devices.length });

function connect([deviceId, token], index) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${DEVICE_PATH}`, [SUBPROTOCOL], {
    perMessageDeflate: false,
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on("error", (error) => lost(`${deviceId}: ${error.message}`));
  socket.on("close", (code) => lost(`${deviceId}: closed with ${code}`));
  socket.on("open", () => socket.send(helloBytes(deviceId)));
  return new Promise((resolve) => {
    socket.on("message", (bytes) => {
      const decoded = decodeDownlink(bytes);
      if (!decoded.ok || decoded.value === null) return lost("a message that cannot be read");
      const down = decoded.value;
      if (down.kind === "ack") marks.set(deviceId, down.ack.seq);
      if (down.kind === "bye") lost(`bye: ${down.bye.detail}`);
      if (down.kind !== "welcome") return;
      setTimeout(() => measureFrom(socket), (Number(everyMs) * index) / devices.length);
      resolve();
    });
  });
}

function measureFrom(socket) {
  let seq = 0;
  const send = () => {
    seq += 1;
    socket.send(reportBytes(seq, 20 + Math.random()));
  };
  send();
  setInterval(send, Number(everyMs));
}

function lost(why) {
  console.error(`a device was lost: ${why}`);
  process.exit(1);
}
