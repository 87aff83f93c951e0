// The peer of the command's round trip: `ws` with nothing behind it. Whoever sends telemetry is acknowledged at once,
// from memory; whoever connects to /echo hears everything back.
//
//   echo-server.mjs        sends { port } when it listens

import { createServer } from "node:http";
import { decodeUplink, encodeAck, encodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
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
    else answer(socket, decodeUplink(bytes).value);
  });
});

function answer(socket, { seq, body }) {
  if (seq > 0) socket.send(encodeAck(seq));
  if (body?.kind !== "hello") return;
  const { attempt, bootNonce } = body.hello;
  const times = { keepaliveMs: 30_000, window: 64, unixMs: Date.now() };
  const rest = { epoch: 5, ackedSeq: 0, wantCatalog: false, maxUplinkBytes: 65_536 };
  socket.send(encodeDownlink({ kind: "welcome", welcome: { attempt, bootNonce, ...times, ...rest } }));
}

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
