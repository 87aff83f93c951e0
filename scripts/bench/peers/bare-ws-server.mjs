// The least a wss server can be: `ws` on Node's TLS, with the limits that the gateway sets, and nothing behind it.
//
//   bare-ws-server.mjs CERT KEY [PORT]        sends { port } when it listens, { links } when asked with { count: true }

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { WebSocketServer } from "ws";

const MESSAGE_BYTES_MAX = 65_536;

const [cert, key, port = "0"] = process.argv.slice(2);
const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), noDelay: true });
const sockets = new WebSocketServer({ server, perMessageDeflate: false, maxPayload: MESSAGE_BYTES_MAX });
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", () => {});
});
process.once("disconnect", () => process.exit(1));
process.on("message", () => process.send({ links: sockets.clients.size }));
server.listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 }, () =>
  process.send({ port: server.address().port }),
);
