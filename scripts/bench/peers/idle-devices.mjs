// A process full of devices that are connected and have nothing to say. They answer pings, as every device does.
//
//   idle-devices.mjs PORT CA_FILE TOKENS_FILE FROM COUNT SPEAKS      SPEAKS: tidegate | nothing
//
// Sends { connected: COUNT } when all are in (for `tidegate`: welcomed). A device that is lost ends the process.
// Every handshake is a full one: TLS 1.3, checked against the CA.

import { readFileSync } from "node:fs";
import { CONSTANT_SERVER_NAME, DEVICE_PATH, decodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import { WebSocket } from "ws";
import { helloBytes, pongBytes } from "./hello.mjs";

/** Handshakes at once: enough to keep the server busy, few enough that none times out. */
const CONNECTING_AT_ONCE = 16;

const [port, caFile, tokensFile, from, count, speaks] = process.argv.slice(2);
const speaksTidegate = speaks === "tidegate";
const ca = readFileSync(caFile);
const devices = readFileSync(tokensFile, "utf8")
  .split("\n")
  .slice(Number(from), Number(from) + Number(count))
  .map((line) => line.split(" "));

process.once("disconnect", () => process.exit(0));

let next = 0;
const connectSome = async () => {
  while (next < devices.length) await connectOne(devices[next++]);
};
await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
process.send({ connected: devices.length });

function connectOne([deviceId, token]) {
  const socket = new WebSocket(`wss://127.0.0.1:${port}${DEVICE_PATH}`, speaksTidegate ? [SUBPROTOCOL] : [], {
    ca,
    servername: CONSTANT_SERVER_NAME,
    minVersion: "TLSv1.3",
    perMessageDeflate: false,
    headers: { authorization: `Bearer ${token}` },
  });
  socket.on("error", (error) => lost(`${deviceId}: ${error.message}`));
  socket.on("close", (code) => lost(`${deviceId}: closed with ${code}`));
  return new Promise((resolve) => {
    socket.once("open", () => {
      if (!speaksTidegate) resolve();
      else socket.send(helloBytes(deviceId));
    });
    socket.on("message", (bytes) => answer(socket, bytes, resolve));
  });
}

function answer(socket, bytes, welcomed) {
  const decoded = decodeDownlink(bytes);
  if (!decoded.ok || decoded.value === null) return lost("a message that cannot be read");
  if (decoded.value.kind === "bye") return lost(`bye: ${decoded.value.bye.detail}`);
  if (decoded.value.kind === "welcome") return welcomed();
  if (decoded.value.kind !== "heartbeat") return;
  socket.send(pongBytes(decoded.value.heartbeat.ping, { nextSeq: 1, oldest: 1 }));
}

function lost(why) {
  console.error(`a device was lost: ${why}`);
  process.exit(1);
}
