// The gateway that one writes in an afternoon: a WebSocket server, a table, an MQTT client.
//
//   simple-pair.mjs FOLDER BROKER_PORT        sends { port } when it listens
//
//   message ─▶ INSERT, committed with an fsync ─▶ ack ─▶ publish QoS 1 ─▶ PUBACK ─▶ DELETE
//
// It keeps what it has acknowledged, as the gateway does, and nothing else: no numbers, no repeats found, no history.

import { createServer } from "node:http";
import { join } from "node:path";
import { decodeUplink, encodeAck, encodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import Database from "better-sqlite3";
import mqtt from "mqtt";
import { WebSocketServer } from "ws";

const [folder, brokerPort] = process.argv.slice(2);
process.once("disconnect", () => process.exit(1));

const db = new Database(join(folder, "messages.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec("CREATE TABLE messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)");
const insert = db.prepare("INSERT INTO messages (body) VALUES (?)");
const remove = db.prepare("DELETE FROM messages WHERE id = ?");
const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${brokerPort}`, { protocolVersion: 5, reconnectPeriod: 0 });

const server = createServer();
const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => SUBPROTOCOL });
sockets.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (bytes) => {
    const { seq, body } = decodeUplink(bytes).value;
    if (body.kind === "hello") socket.send(welcomeTo(body.hello));
    if (seq > 0) keep(socket, seq, body.telemetry);
  });
});

function keep(socket, seq, telemetry) {
  const payload = JSON.stringify(telemetry);
  const { lastInsertRowid } = insert.run(Buffer.from(payload));
  socket.send(encodeAck(seq));
  client.publish("bench/data", payload, { qos: 1 }, () => remove.run(lastInsertRowid));
}

function welcomeTo({ attempt, bootNonce }) {
  const times = { keepaliveMs: 30_000, window: 64, unixMs: Date.now() };
  const rest = { epoch: 5, ackedSeq: 0, wantCatalog: false, maxUplinkBytes: 65_536 };
  return encodeDownlink({ kind: "welcome", welcome: { attempt, bootNonce, ...times, ...rest } });
}

server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
