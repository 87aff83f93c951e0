// T11: bytes on the wire per sample, as the SDK's own encoder makes them: 60 readings of one signal, a second apart,
// in one message, WebSocket frame and message number included, TLS and TCP not.
//
//   Device ══ws══▶ a server that counts the bytes of its socket        beside one JSON message with the same readings
//
// Nothing here depends on the machine.

import { createServer } from "node:http";
import { Device } from "@tidegate/device-sdk";
import { decodeUplink, encodeAck, encodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import { WebSocketServer } from "ws";

const SAMPLES = 60;
const FROM_UNIX_MS = 1_700_000_000_000;
const FLOAT_BYTES_MAX = 6;
const SCALED_BYTES_MAX = 3;
/** A client's frame of 126 to 65,535 bytes: 2 of header, 2 of length, 4 of mask (RFC 6455 §5.2). */
const FRAME_HEADER_BYTES = 8;

/** A room that warms up and cools down, to a hundredth. */
const READINGS = Array.from({ length: SAMPLES }, (_, i) => Math.round(2150 + 60 * Math.sin(i / 9)) / 100);

async function measureOurs() {
  const floats = await bytesOf({});
  return {
    value: floats / SAMPLES,
    columns: { "scaled int": (await bytesOf({ type: "int", scale: -2 })) / SAMPLES, "message B": floats },
  };
}

/** What a device writes to its socket for the readings. */
async function bytesOf(signalOptions) {
  const receiver = await startReceiver();
  const device = new Device({
    ...{ url: receiver.url, id: "bench", token: "none", flushIntervalMs: 3_600_000 },
  });
  const signal = device.signal("temperature", { unit: "°C", intervalMs: 1_000, ...signalOptions });
  device.start();
  await receiver.welcomed;
  const before = receiver.bytes();
  for (const [i, value] of READINGS.entries()) signal.report(value, { at: FROM_UNIX_MS + i * 1_000 });
  await device.flush();
  await receiver.telemetry;
  const bytes = receiver.bytes() - before;
  await device.stop();
  receiver.close();
  return bytes;
}

/** Welcomes one device and acks what it sends. */
async function startReceiver() {
  const server = createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => SUBPROTOCOL });
  let socket = null;
  let [toldWelcomed, toldTelemetry] = [() => {}, () => {}];
  const welcomed = new Promise((resolve) => {
    toldWelcomed = resolve;
  });
  const telemetry = new Promise((resolve) => {
    toldTelemetry = resolve;
  });
  sockets.on("connection", (link, request) => {
    socket = request.socket;
    link.on("message", (data) => {
      const { value } = decodeUplink(data);
      if (value.seq > 0) link.send(encodeAck(value.seq));
      if (value.body?.kind === "hello") link.send(welcomeTo(value.body.hello));
      if (value.body?.kind === "heartbeat") toldWelcomed();
      if (value.body?.kind === "telemetry") toldTelemetry();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${server.address().port}/v1/device`;
  const close = () => {
    for (const client of sockets.clients) client.terminate();
    server.close();
  };
  return { url, welcomed, telemetry, bytes: () => socket.bytesRead, close };
}

function welcomeTo({ attempt, bootNonce }) {
  const times = { keepaliveMs: 30_000, window: 64, unixMs: FROM_UNIX_MS };
  const rest = { epoch: 5, ackedSeq: 0, wantCatalog: false, maxUplinkBytes: 65_536 };
  return encodeDownlink({ kind: "welcome", welcome: { attempt, bootNonce, ...times, ...rest } });
}

/** The least that applications send as JSON: signal, time and value of each reading, in one message. */
async function measureJson() {
  const readings = READINGS.map((v, i) => ({ s: "temp", t: FROM_UNIX_MS + i * 1_000, v }));
  const bytes = Buffer.byteLength(JSON.stringify(readings)) + FRAME_HEADER_BYTES;
  return { value: bytes / SAMPLES, columns: { "message B": bytes } };
}

/** What a data plan or a radio pays for. */
export const t11 = {
  id: "T11",
  title: `wire bytes per sample, ${SAMPLES} floats in a message`,
  unit: "B",
  against: "json",
  direction: "atMost",
  target: 0.2,
  rounds: { quick: 1, full: 1 },
  programs: {},
  contenders: { ours: measureOurs, json: measureJson },
  conditions: (columns) => [
    { name: `float ≤ ${FLOAT_BYTES_MAX} B`, met: columns["message B"] / SAMPLES <= FLOAT_BYTES_MAX },
    { name: `scaled int, regular ≤ ${SCALED_BYTES_MAX} B`, met: columns["scaled int"] <= SCALED_BYTES_MAX },
  ],
};
