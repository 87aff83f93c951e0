// A process full of devices that are connected and have nothing to say. They answer pings, as every device does.
//
//   idle-devices.mjs PORT CA_FILE TOKENS_FILE FROM COUNT SPEAKS      SPEAKS: tidegate | nothing
//
// Sends { connected: COUNT } when all are in (for `tidegate`: welcomed). A device that is lost ends the process.
// Every handshake is a full one: TLS 1.3, checked against the CA.

import { readFileSync } from "node:fs";
import { decodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import { contextOf, DeviceLink } from "./device-link.mjs";
import { helloBytes, pongBytes } from "./hello.mjs";

/** Handshakes at once: enough to keep the server busy, few enough that none times out. */
const CONNECTING_AT_ONCE = 16;

const [port, caFile, tokensFile, from, count, speaks] = process.argv.slice(2);
const speaksTidegate = speaks === "tidegate";
const secureContext = contextOf(readFileSync(caFile));
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
  const protocol = speaksTidegate ? SUBPROTOCOL : null;
  return new Promise((resolve) => {
    const link = new DeviceLink(
      { port: Number(port), secureContext, token, protocol },
      {
        open: () => (speaksTidegate ? link.send(helloBytes(deviceId)) : resolve()),
        message: (bytes) => answer(link, bytes, resolve),
        refused: (status) => lost(`${deviceId}: refused with ${status}`),
        closed: (why) => lost(`${deviceId}: ${why}`),
      },
    );
  });
}

function answer(link, bytes, welcomed) {
  const decoded = decodeDownlink(bytes);
  if (!decoded.ok || decoded.value === null) return lost("a message that cannot be read");
  if (decoded.value.kind === "bye") return lost(`bye: ${decoded.value.bye.detail}`);
  if (decoded.value.kind === "welcome") return welcomed();
  if (decoded.value.kind !== "heartbeat") return;
  link.send(pongBytes(decoded.value.heartbeat.ping, { nextSeq: 1, oldest: 1 }));
}

function lost(why) {
  console.error(`a device was lost: ${why}`);
  process.exit(1);
}
