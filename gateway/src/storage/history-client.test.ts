/** The history's door on the main thread: a worker that dies, hangs, or must stay off; the test moves the clock. */
import { beforeEach, describe, expect, it } from "vitest";
import { GatewayError } from "../core/errors.js";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { ManualClock } from "../core/testing/manual-clock.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { HistoryClient } from "./history-client.js";
import type { HistoryCalls, HistoryProgress } from "./history-protocol.js";
import type { WorkerChannel } from "./worker-calls.js";
import { plainError, type Question, type WorkerMessage } from "./worker-protocol.js";

const NOTHING: HistoryProgress = {
  cursor: 0,
  readingCount: 0,
  outsideCount: 0,
  refusedCount: 2,
  missedCount: 0,
  damagedCount: 0,
  refusedWriteCount: 0,
  signalCount: 0,
  openBytes: 0,
  usedBytes: 0,
};

/** A worker that the test plays. */
class FakeWorker implements WorkerChannel<HistoryCalls> {
  readonly questions: Question<HistoryCalls>[] = [];
  isEnded = false;
  isMute = false;
  cursor = 7;
  say: (message: WorkerMessage) => void = () => {};
  die: (error: GatewayError) => void = () => {};

  post(question: Question<HistoryCalls>): void {
    this.questions.push(question);
    const { id, call } = question;
    if (this.isMute) return;
    const value = call.op === "progress" || call.op === "close" ? { ...NOTHING, cursor: this.cursor } : [];
    queueMicrotask(() => this.say({ type: "value", id, value }));
  }

  listen(onMessage: (message: WorkerMessage) => void, onDeath: (error: GatewayError) => void): void {
    this.say = onMessage;
    this.die = onDeath;
  }

  end(): Promise<void> {
    this.isEnded = true;
    return Promise.resolve();
  }
}

let clock: ManualClock;
let metrics: Metrics;
let workers: FakeWorker[];
let cursors: number[];
beforeEach(() => {
  clock = new ManualClock();
  metrics = new Metrics();
  workers = [];
  cursors = [];
});

const QUERY = { device: "a", signal: "b", fromUnixMs: 0, toUnixMs: 1, pointsMax: 1 };
const CRASH = new GatewayError("E_STORE_IO", "the storage thread ended with code 1");

function open(): HistoryClient {
  const channel = (): FakeWorker => {
    const worker = new FakeWorker();
    workers.push(worker);
    return worker;
  };
  const saveCursor = (recordId: number): void => void cursors.push(recordId);
  return HistoryClient.open({ channel, saveCursor, clock, random: new SeededRandom(3), log: SILENT, metrics });
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

async function openUp(): Promise<HistoryClient> {
  const client = open();
  workers[0]?.say({ type: "ready", notices: [] });
  await settle();
  return client;
}

/** Let time pass in steps, so that answers come between them. */
async function pass(byMs: number, stepMs = 5_000): Promise<void> {
  for (let passed = 0; passed < byMs; passed += stepMs) {
    clock.advance(Math.min(stepMs, byMs - passed));
    await settle();
  }
}

describe("the history client", () => {
  it("tells the spool how far the history is, at once and every few seconds, and stops with its end", async () => {
    const client = await openUp();
    await settle();
    expect(cursors).toEqual([7]);
    const [worker] = workers;
    if (worker !== undefined) worker.cursor = 12;
    await pass(5_000);
    expect(cursors).toEqual([7, 12]);
    if (worker !== undefined) worker.cursor = 15;
    await client.close();
    expect(cursors).toEqual([7, 12, 15]);
    expect(worker?.isEnded).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it("starts a worker that died again, later each time, and answers E_STORE_BUSY meanwhile", async () => {
    const client = await openUp();
    workers[0]?.die(CRASH);
    await expect(client.read(QUERY)).rejects.toMatchObject({ code: "E_STORE_BUSY" });
    expect(await client.latest()).toEqual([]);
    expect(workers[0]?.isEnded).toBe(true);
    for (let death = 1; death <= 12; death++) {
      await pass(300_000, 1_000);
      expect(workers).toHaveLength(death + 1);
      workers.at(-1)?.say({ type: "fatal", error: plainError(CRASH) });
      await settle();
    }
    expect(metrics.read("history_restarts")).toBe(13);
    await pass(300_000, 1_000);
    workers.at(-1)?.say({ type: "ready", notices: [] });
    await settle();
    expect(await client.read(QUERY)).toEqual([]);
    await client.close();
  });

  it("rejects what was asked when the worker dies, and nothing else notices", async () => {
    const client = await openUp();
    const [worker] = workers;
    if (worker !== undefined) worker.isMute = true;
    const asked = client.read(QUERY);
    await settle();
    worker?.die(CRASH);
    await expect(asked).rejects.toMatchObject({ code: "E_STORE_IO" });
    await client.close();
  });

  it("gives a worker up that has not answered for a minute", async () => {
    const client = await openUp();
    await settle();
    const [worker] = workers;
    if (worker !== undefined) worker.isMute = true;
    await pass(60_000);
    expect(worker?.isEnded).toBe(false);
    await pass(10_000);
    expect(worker?.isEnded).toBe(true);
    expect(workers).toHaveLength(2);
    await client.close();
  });

  it("stays off when history.db is of a newer version, because starting again would not help", async () => {
    const client = open();
    workers[0]?.say({ type: "fatal", error: plainError(new GatewayError("E_STORE_NEWER", "history.db has schema 9")) });
    await settle();
    await pass(3_600_000, 60_000);
    expect(workers).toHaveLength(1);
    await expect(client.read(QUERY)).rejects.toMatchObject({ code: "E_STORE_BUSY" });
    await client.close();
  });

  it("lets questions at the start wait for it, but not for long", async () => {
    const client = open();
    const early = client.latest();
    const refused = expect(client.read(QUERY)).rejects.toMatchObject({ code: "E_STORE_BUSY" });
    clock.advance(2_000);
    await refused;
    expect(await early).toEqual([]);
    workers[0]?.say({ type: "ready", notices: [] });
    await settle();
    expect(await client.read(QUERY)).toEqual([]);
    await client.close();
  });

  it("leaves no timer behind when the gateway ends before it was up", async () => {
    const client = open();
    const asked = client.latest();
    await client.close();
    expect(await asked).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(workers[0]?.isEnded).toBe(true);
  });

  it("does not hold the end of the gateway up for long", async () => {
    const client = await openUp();
    const [worker] = workers;
    if (worker !== undefined) worker.isMute = true;
    const closing = client.close();
    clock.advance(5_000);
    await closing;
    expect(worker?.isEnded).toBe(true);
  });

  it("shows that it is up, and what was left out", async () => {
    const client = await openUp();
    await settle();
    expect(await metrics.text()).toContain("tidegate_history_up 1");
    expect(await metrics.text()).toContain('tidegate_history_left_out{reason="reading_signal_limit"} 2');
    workers[0]?.die(CRASH);
    expect(await metrics.text()).toContain("tidegate_history_up 0");
    await client.close();
  });
});
