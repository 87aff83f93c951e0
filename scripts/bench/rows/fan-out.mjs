// T3: one event to a thousand viewers. Ours from the device's message through the store; the peers from a loop.
//
//   load.c ══▶ gateway ══ frames of 50 ms, built once ══▶ view.c × 1,000
//   a loop over one event after the other ══ ws | Socket.IO ══▶ view.c × 1,000
//
// Counted are events, however many share a frame. Ours gets RATE events a second: what a thousand viewers are shown of
// a busy site; the peers send as fast as they can.

import { fileURLToPath } from "node:url";
import { startLoad } from "../harness/load.mjs";
import { Program, until } from "../harness/processes.mjs";

const VIEWERS = 1_000;
/** Events a second, from as many devices as make it a second apart. */
const RATE = 300;
const DEVICES = 100;
const SECONDS = { quick: 3, full: 8 };
const AGE_MS_MAX = 100;
/** One reading a message: events of about 150 characters. */
const PAYLOAD_BYTES = 16;
const BROADCASTER = fileURLToPath(new URL("../peers/broadcaster.mjs", import.meta.url));

async function measureOurs(bench) {
  const fleet = await bench.fleet(DEVICES);
  return fleet.withGateway({}, async (gateway) => {
    const watching = watch(bench, {
      ...{ port: gateway.adminPort, path: "/api/v1/live", token: gateway.adminToken },
      ...{ dialect: "ws", pid: gateway.pid },
    });
    await joined(watching);
    const load = startLoad(bench.loadProgram, {
      ...{ mode: "ws", port: gateway.devicesPort, pid: gateway.pid, tokens: fleet.tokensFile, conns: DEVICES },
      ...{ inflight: 32, payload: PAYLOAD_BYTES, rate: RATE, seconds: secondsOf(bench) * 3 },
    });
    try {
      return measureOf(await watching.answer);
    } finally {
      await load.program.kill();
      await load.answer.catch(() => {});
    }
  });
}

const measurePeer = (dialect, path) => async (bench) => {
  const server = new Program(process.execPath, [BROADCASTER, dialect], { hasChannel: true });
  try {
    const { port } = await server.message();
    const watching = watch(bench, { port, path, dialect, pid: server.pid });
    await joined(watching);
    server.send({ go: true });
    return measureOf(await watching.answer);
  } finally {
    await server.kill();
  }
};

const secondsOf = (bench) => (bench.isQuick ? SECONDS.quick : SECONDS.full);

const watch = (bench, options) =>
  startLoad(bench.viewProgram, { ...options, conns: VIEWERS, seconds: secondsOf(bench) });

const joined = ({ program }) =>
  until("every viewer was let in", () => program.stdout.includes("joined"), { program, timeoutMs: 60_000 });

function measureOf({ messages, seconds, perSecond, bytes, ageMsP50, ageMsP99, readerCpuShare, ...peer }) {
  return {
    value: perSecond,
    columns: {
      "events/s": perSecond / VIEWERS,
      "wire B/message": bytes / Math.max(1, messages),
      "CPU s/million": peer.peerCpuSeconds / (messages / 1e6),
      "CPU share": peer.peerCpuSeconds / seconds,
      "RSS MB": peer.peerRssBytes / 1e6,
      "age p50 ms": ageMsP50,
      "age p99 ms": ageMsP99,
      "reader CPU share": readerCpuShare,
    },
  };
}

/** The dashboard on a thousand screens. */
export const t3 = {
  id: "T3",
  title: `live events to ${VIEWERS.toLocaleString("en-US")} viewers, ${RATE} a second`,
  unit: "messages/s",
  against: "socketio",
  direction: "atLeast",
  target: 3,
  rounds: { quick: 1, full: 3 },
  programs: {},
  contenders: {
    ours: measureOurs,
    socketio: measurePeer("socketio", "/socket.io/?EIO=4&transport=websocket"),
    ws: measurePeer("ws", "/"),
  },
  conditions: (columns) => [
    { name: `half of the events are at most ${AGE_MS_MAX} ms old`, met: columns["age p50 ms"] <= AGE_MS_MAX },
    { name: "nothing is left out for want of time (97 % of the events)", met: columns["events/s"] >= 0.97 * RATE },
  ],
};
