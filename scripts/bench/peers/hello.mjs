// The Hello of a benchmark's device, and its messages: one shape for all programs that play devices.

import { encodeUplink } from "@tidegate/proto";

const NO_BYTES = new Uint8Array(0);

/**
 * A Hello as bytes.
 * @param {string} deviceId
 * @param {object} [numbers] what differs from a device that has nothing yet, in the words of the protocol
 */
export function helloBytes(deviceId, numbers = {}) {
  const hello = {
    ...{ protocol: 1, deviceId, bootNonce: 7, attempt: 1, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, uptimeMs: 1 },
    ...{ maxRxBytes: 1024, catalogHash: 0, firmware: "bench", model: "bench", sleepMs: 0, lastCommand: 0 },
    ...{ outboxFrames: 64, proof: NO_BYTES, closing: false, ...numbers },
  };
  return encodeUplink({ seq: 0, gap: 0, body: { kind: "hello", hello } });
}

/**
 * The answer to a ping, as bytes.
 * @param {number} ping as it came
 * @param {{ nextSeq: number, oldest: number }} numbers what exists
 */
export function pongBytes(ping, { nextSeq, oldest }) {
  const heartbeat = { uptimeMs: Math.round(performance.now()), unixMs: 0, ping, nextSeq, oldest };
  return encodeUplink({ seq: 0, gap: 0, body: { kind: "heartbeat", heartbeat } });
}

/** Telemetry with one reading of one signal, now, as bytes. */
export function reportBytes(seq, celsius = 21.5) {
  const series = [{ signal: 1, quality: 0, dtMs: [], periodUs: 0, values: { kind: "floats", floats: [celsius] } }];
  const telemetry = { base: { kind: "uptime", uptimeMs: Math.round(performance.now()) }, series, bootNonce: 0 };
  return encodeUplink({ seq, gap: 0, body: { kind: "telemetry", telemetry } });
}
