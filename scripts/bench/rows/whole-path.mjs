// T12: the whole path, as a site uses it: how many messages a second go through, from the device to the broker's
// PUBACK, for as long as one likes, with history and one viewer on.
//
//   load.c at rate R ══▶ gateway ══▶ spool, fsync ══▶ sink ══QoS 1══▶ Mosquitto        + history + one live viewer
//                    ══▶ Mosquitto ══bridge, QoS 1══▶ Mosquitto                        queueing in memory, no fsync
//                    ══▶ ws + better-sqlite3 + MQTT.js, put together simply ══▶ Mosquitto    one fsync a message
//
//   R doubles ─▶ until not everything has arrived SLACK after the last was sent ─▶ half a step back ─▶ held
//
// What cannot be held is not a rate: a backlog that grows ends in a full disk.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { freePort } from "../harness/free-port.mjs";
import { startLoad } from "../harness/load.mjs";
import { cpuSeconds, rssBytes, writtenBytes } from "../harness/proc.mjs";
import { Program, pause, until } from "../harness/processes.mjs";
import { watchBroker } from "../peers/broker-count.mjs";
import { startMosquitto } from "../peers/mosquitto.mjs";

const DEVICES = 100;
const PAYLOAD_BYTES = 64;
/** Where the search begins; the simple pair has one fsync a message. */
const RATE_FIRST = { fast: 1_000, simple: 62.5 };
const RATE_MAX = 256_000;
const TRIAL_SECONDS = { quick: 2, full: 4 };
/** After the last message was acknowledged, everything has to be with the broker; its counter moves once a second. */
const SLACK_MS = 2_000;
/** The generator has to have reached this share of the rate; the last ack may take a while on a busy disk. */
const REACHED_SHARE = 0.95;
const LAST_ACK_SECONDS_MAX = 0.5;
const SIMPLE_PAIR = fileURLToPath(new URL("../peers/simple-pair.mjs", import.meta.url));

/** Measures one arrangement: `open` starts it in a folder and says where devices connect. */
const measure = (open, rateFirst) => async (bench) => {
  const folder = bench.newFolder();
  const site = await open(bench, folder);
  try {
    const rate = await highestRate(bench, site, rateFirst);
    return await hold(bench, site, rate);
  } finally {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Doubles while everything arrives, then tries the step between. */
async function highestRate(bench, site, rateFirst) {
  const seconds = bench.isQuick ? TRIAL_SECONDS.quick : TRIAL_SECONDS.full;
  let best = 0;
  for (let rate = rateFirst; rate <= RATE_MAX; rate *= 2) {
    if (!(await trial(bench, site, { rate, seconds })).isFlat) break;
    best = rate;
  }
  if (best === 0) throw new Error(`not even ${rateFirst} messages a second came through`);
  const between = Math.round(best * Math.SQRT2);
  return (await trial(bench, site, { rate: between, seconds })).isFlat ? between : best;
}

/** The rate for the time that was asked for; it goes down by a tenth until it can be held. */
async function hold(bench, site, rate) {
  for (let held = rate; held >= rate / 2; held -= rate / 10) {
    const result = await trial(bench, site, { rate: Math.round(held), seconds: bench.minutes * 60 });
    if (result.isFlat) return { value: result.perSecond, columns: result.columns };
  }
  throw new Error(
    `${rate} messages a second went through for seconds, but half of it not for ${bench.minutes} minutes`,
  );
}

async function trial(bench, site, { rate, seconds: wanted }) {
  // Whole messages from every device: at a low rate that takes a little longer or shorter.
  const messages = Math.max(1, Math.round((rate * wanted) / DEVICES));
  const seconds = (messages * DEVICES) / rate;
  const before = { atMs: performance.now(), arrived: await site.arrived(0), cpu: site.cpu(), bytes: site.written() };
  const load = startLoad(bench.loadProgram, {
    ...{ mode: site.mode, port: site.port, pid: site.pid, ...(site.tokens && { tokens: site.tokens }) },
    ...{ conns: DEVICES, inflight: 32, payload: PAYLOAD_BYTES, messages, rate, seconds: seconds * 2 + 5 },
  });
  const answer = await load.answer.catch(() => null);
  if (answer === null) return settled(site, { isFlat: false });
  const count = messages * DEVICES;
  const endedMs = performance.now();
  const arrived = await site.arrived(before.arrived + count, SLACK_MS);
  const isInTime = arrived - before.arrived >= count && performance.now() - endedMs <= SLACK_MS;
  const isFlat = isInTime && answer.seconds <= seconds / REACHED_SHARE + LAST_ACK_SECONDS_MAX;
  const columns = {
    "CPU s/million": (site.cpu() - before.cpu) / (count / 1e6),
    "disk B/record": (site.written() - before.bytes) / count,
    "RSS MB": site.rss() / 1e6,
    "seconds held": answer.seconds,
    "generator CPU share": answer.generatorCpuShare,
  };
  return settled(site, { isFlat, perSecond: count / answer.seconds, columns }, before.arrived + count);
}

/** Lets the rest arrive before the next trial. */
async function settled(site, result, count = 0) {
  for (let waits = 0; !result.isFlat && waits < 30 && (await site.arrived(count, 1_000)) < count; waits++)
    await pause(100);
  if (!result.isFlat) await pause(1_000);
  return result;
}

async function openOurs(bench, folder) {
  const fleet = await bench.fleet(DEVICES);
  const broker = await startMosquitto(folder);
  const sinks = [
    { name: "bench", type: "mqtt", url: `mqtt://127.0.0.1:${broker.port}`, commands: false, inFlight: 2_000 },
  ];
  const { gateway, end } = await fleet.open({ sinks });
  const viewer = startLoad(bench.viewProgram, {
    ...{ port: gateway.adminPort, path: "/api/v1/live", token: gateway.adminToken, conns: 1, seconds: 86_400 },
  });
  viewer.answer.catch(() => {});
  await until("the viewer was let in", () => viewer.program.stdout.includes("joined"), { program: viewer.program });
  const arrived = async (count, waitMs = 0) => {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const { deliveredCount } = await gateway.sink();
      if (deliveredCount >= count || performance.now() >= deadlineMs) return deliveredCount;
      await pause(50);
    }
  };
  const close = async () => {
    await viewer.program.kill();
    await end();
    await broker.kill();
  };
  return { mode: "ws", port: gateway.devicesPort, tokens: fleet.tokensFile, arrived, close, ...costOf([gateway.pid]) };
}

async function openBridge(_bench, folder) {
  const far = await startMosquitto(folder);
  const lines = ["connection bench", `address 127.0.0.1:${far.port}`, "topic # out 1", "cleansession false"];
  const near = await startMosquitto(folder, await freePort(), lines);
  const witness = await watchBroker(far.port);
  const close = async () => {
    await witness.end();
    await near.kill();
    await far.kill();
  };
  return { mode: "mqtt", port: near.port, arrived: arrivedAt(witness), close, ...costOf([near.pid]) };
}

async function openSimplePair(bench, folder) {
  const fleet = await bench.fleet(DEVICES);
  const broker = await startMosquitto(folder);
  const pair = new Program(process.execPath, [SIMPLE_PAIR, folder, String(broker.port)], { hasChannel: true });
  const { port } = await pair.message();
  const witness = await watchBroker(broker.port);
  const close = async () => {
    await witness.end();
    await pair.kill();
    await broker.kill();
  };
  const tokens = fleet.tokensFile;
  return { mode: "ws", port, tokens, arrived: arrivedAt(witness), close, ...costOf([pair.pid]) };
}

/** By the broker's own counter. */
const arrivedAt =
  (witness) =>
  async (count, waitMs = 0) =>
    (await witness.atLeast(count, waitMs)).messages;

function costOf([pid]) {
  return {
    pid,
    cpu: () => cpuSeconds(pid) ?? 0,
    written: () => writtenBytes(pid) ?? 0,
    rss: () => rssBytes(pid) ?? 0,
  };
}

/** The number that users feel. */
export const t12 = {
  id: "T12",
  title: "sustained whole path to PUBACK, history and a viewer on",
  unit: "messages/s",
  against: "bridge",
  direction: "atLeast",
  target: 1,
  rounds: { quick: 1, full: 1 },
  programs: { ours: ["mosquitto"], bridge: ["mosquitto"], simple: ["mosquitto"] },
  contenders: {
    ours: measure(openOurs, RATE_FIRST.fast),
    bridge: measure(openBridge, RATE_FIRST.fast),
    simple: measure(openSimplePair, RATE_FIRST.simple),
  },
  conditions: (_columns, medians) => [
    {
      name: "≥ 2× ws + better-sqlite3 + MQTT.js, put together simply",
      met: typeof medians.simple === "number" && medians.ours >= 2 * medians.simple,
    },
  ],
};
