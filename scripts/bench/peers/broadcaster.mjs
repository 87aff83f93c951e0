// Events to everybody, the way libraries are used for it: one call per event, from a loop that lets I/O in between.
//
//   broadcaster.mjs ws|socketio        sends { port } when it listens, begins at { go: true }

import { createServer } from "node:http";
import { Server as SocketIo } from "socket.io";
import { WebSocketServer } from "ws";

const dialect = process.argv[2];
const server = createServer();
const broadcast = dialect === "socketio" ? socketIo() : bareWs();
let id = 0;

process.once("disconnect", () => process.exit(1));
process.once("message", next);
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => process.send({ port: server.address().port }));

/** The event of a gateway's feed, new each time. */
function next() {
  id += 1;
  const at = Date.now();
  const reading = { signal: "temperature", t: at, v: 21.5, q: "good" };
  broadcast({ id, device: "bench-00001", kind: "data", receivedUnixMs: at, readings: [reading] });
  setImmediate(next);
}

function socketIo() {
  const io = new SocketIo(server, { transports: ["websocket"], perMessageDeflate: false });
  return (event) => io.emit("event", event);
}

function bareWs() {
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  return (event) => {
    const text = JSON.stringify(event);
    for (const client of sockets.clients) client.send(text);
  };
}
