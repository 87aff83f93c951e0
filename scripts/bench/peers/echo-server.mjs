// The peer of the command's round trip: `ws` with nothing behind it. Whoever sends telemetry is acknowledged at once,
// from memory; whoever connects to /echo hears everything back.
//
//   echo-server.mjs        sends { port } when it listens

import { createServer } from "node:http";
import {
  decodeUplink,
  Envelope,
  encodeAck,
  encodeDownlink,
  readEnvelope,
  SUBPROTOCOL,
  UplinkTag,
} from "@tidegate/proto";
import { WebSocketServer } from "ws";

process.once("disconnect", () => process.exit(1));
const server = createServer();
const sockets = new WebSocketServer({
  server,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
});
sockets.on("connection", (socket, { url }) => {
  socket.on("error", () => {});
  socket.on("message", (bytes) => {
    if (url === "/echo") socket.send(bytes);
    else answer(socket, bytes);
  });
});

const envelope = new Envelope();

/** No more than it takes: the number of a message, and what a Welcome repeats of a Hello. */
function answer(socket, bytes) {
  if (readEnvelope(bytes, envelope) !== null) return;
  if (envelope.seq > 0) socket.send(encodeAck(envelope.seq));
  if (envelope.body !== UplinkTag.hello) return;
  const { attempt, bootNonce } = decodeUplink(bytes).value.body.hello;
  const times = { keepaliveMs: 30_000, window: 64, unixMs: Date.now() };
  const rest = { epoch: 5, ackedSeq: 0, wantCatalog: false, maxUplinkBytes: 65_536 };
  socket.send(encodeDownlink({ kind: "welcome", welcome: { attempt, bootNonce, ...times, ...rest } }));
}

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
