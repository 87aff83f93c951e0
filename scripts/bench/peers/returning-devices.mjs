// A process full of devices that report, lose their gateway, and come back as the SDK does: full jitter, the delay that
// the server names, TLS session resumed.
//
//   returning-devices.mjs PORT CA_FILE TOKENS_FILE FROM COUNT SPEAKS      SPEAKS: tidegate | nothing
//
//   connect ─▶ Hello ─▶ Welcome ─▶ telemetry seq n ─▶ ack n ─▶ "ready" ─ link lost ─▶ wait ─▶ connect …
//
// Sends { ready, lost, refused } four times a second: devices whose newest message is acknowledged on their present
// link (with `nothing`: that are connected), devices whose acknowledged numbers were not there any more when they came
// back, and how often one was sent away.

import { readFileSync } from "node:fs";
import { decodeDownlink, SUBPROTOCOL } from "@tidegate/proto";
import { contextOf, DeviceLink } from "./device-link.mjs";
import { helloBytes, pongBytes, reportBytes } from "./hello.mjs";

/** First connections at once. */
const CONNECTING_AT_ONCE = 16;
/** The SDK's own: random between 0 and a bound that doubles. */
const BACKOFF_MS = { base: 1_000, cap: 30_000 };

const [port, caFile, tokensFile, from, count, speaks] = process.argv.slice(2);
const speaksTidegate = speaks === "tidegate";
const secureContext = contextOf(readFileSync(caFile));
const devices = readFileSync(tokensFile, "utf8")
  .split("\n")
  .slice(Number(from), Number(from) + Number(count))
  .map((line) => ({ line: line.split(" "), epoch: 0, seq: 0, acked: 0, attempt: 0, failures: 0, isReady: false }));
const told = { ready: 0, lost: 0, refused: 0 };

process.once("disconnect", () => process.exit(0));
setInterval(() => process.send(told), 250);

let next = 0;
const connectSome = async () => {
  while (next < devices.length) {
    const device = devices[next++];
    await new Promise((resolve) => connect(device, resolve));
  }
};
await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));

function connect(device, onReady = () => {}) {
  let retryAfterMs = 0;
  const ready = () => {
    device.failures = 0;
    set(device, true);
    onReady();
  };
  const protocol = speaksTidegate ? SUBPROTOCOL : null;
  const link = new DeviceLink(
    { port: Number(port), secureContext, session: device.session, token: device.line[1], protocol },
    {
      open: () => (speaksTidegate ? greet(device, link) : ready()),
      message: (bytes) => answer(device, link, { bytes, ready }),
      session: (session) => {
        device.session = session;
      },
      refused: (_status, afterMs) => {
        told.refused += 1;
        retryAfterMs = afterMs;
      },
      closed: () => {
        set(device, false);
        const bound = Math.min(BACKOFF_MS.cap, BACKOFF_MS.base * 2 ** device.failures);
        device.failures += 1;
        setTimeout(() => connect(device), retryAfterMs + Math.random() * bound);
      },
    },
  );
}

function set(device, isReady) {
  if (device.isReady !== isReady) told.ready += isReady ? 1 : -1;
  device.isReady = isReady;
}

function greet(device, link) {
  device.attempt += 1;
  const { attempt, epoch, acked } = device;
  const uptimeMs = Math.round(performance.now());
  const numbers = { attempt, epoch, uptimeMs, ackedSeq: acked, ...heldBy(device) };
  link.send(helloBytes(device.line[0], numbers));
}

/** What it has, in the numbers of Hello and heartbeat. */
function heldBy({ seq, acked }) {
  return { nextSeq: seq + 1, oldest: Math.min(acked + 1, seq + 1) };
}

function answer(device, link, { bytes, ready }) {
  const { value } = decodeDownlink(bytes);
  if (value?.kind === "welcome") {
    if (device.epoch !== 0 && (value.welcome.epoch !== device.epoch || value.welcome.ackedSeq < device.acked)) {
      told.lost += 1;
    }
    device.epoch = value.welcome.epoch;
    device.seq = value.welcome.ackedSeq + 1;
    link.send(reportBytes(device.seq));
  } else if (value?.kind === "ack") {
    device.acked = Math.max(device.acked, value.ack.seq);
    if (device.acked === device.seq) ready();
  } else if (value?.kind === "heartbeat") {
    link.send(pongBytes(value.heartbeat.ping, heldBy(device)));
  }
}
