/**
 * The history on its own thread beside the real store: it follows, lets records go, and survives deletion. Uses the
 * compiled gateway (`npm run build`).
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { encodeTelemetry } from "@tidegate/proto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SystemClock } from "../core/clock.js";
import { SILENT } from "../core/log.js";
import { Metrics } from "../core/metrics.js";
import { SeededRandom } from "../core/testing/seeded-random.js";
import { batchOf, helloOf } from "../spool/testing/batches.js";
import { HistoryClient } from "./history-client.js";
import type { HistoryCalls } from "./history-protocol.js";
import { openStorage } from "./open-storage.js";
import type { Storage } from "./storage-client.js";
import { type TestFolder, testFolder } from "./testing/store.js";
import { ThreadChannel } from "./thread-channel.js";

const compiled = (name: string): URL => new URL(`../../dist/storage/${name}.js`, import.meta.url);
const HOUR_MS = 3_600_000;

let folder: TestFolder;
beforeEach(() => {
  folder = testFolder();
});
afterEach(() => folder.remove());

function openStore(): Promise<Storage> {
  return openStorage({
    dataDir: folder.path,
    gatewayId: "gw",
    quotaBytes: 2 ** 30,
    whenFull: "block",
    windowDigests: 64,
    keepsHistory: true,
    bootId: "boot",
    liveRowsKept: 0,
    onFatal: () => {},
    entries: { writer: compiled("storage-worker"), reader: compiled("reader-worker") },
  });
}

function openHistory(storage: Storage): HistoryClient {
  const start = { dataDir: folder.path, keepMs: 7 * 24 * HOUR_MS, quotaBytes: 2 ** 26 };
  return HistoryClient.open({
    channel: () => new ThreadChannel<HistoryCalls>(compiled("history-worker"), "history", start),
    saveCursor: (recordId) => storage.spool.saveCursor("$history", recordId),
    clock: new SystemClock(),
    random: new SeededRandom(1),
    log: SILENT,
    metrics: new Metrics(),
  });
}

async function commit(storage: Storage, epoch: number, fromSeq: number, baseUnixMs: number): Promise<void> {
  const body = encodeTelemetry({
    base: { kind: "none" },
    bootNonce: 0,
    series: [{ signal: 1, dtMs: [0, 1000], periodUs: 0, quality: 0, values: { kind: "floats", floats: [21.5, 22.5] } }],
  });
  const entries = Array.from({ length: 50 }, (_, i) => ({
    epoch,
    seq: fromSeq + i,
    receivedUnixMs: baseUnixMs + i * 2_000,
    body,
  }));
  expect((await storage.spool.commit(batchOf(entries))).ok).toBe(true);
}

const TEST_MS_MAX = 120_000;

/** On a loaded machine a thread takes its time to start: until then the history says that it is busy. */
async function started(history: HistoryClient): Promise<HistoryClient> {
  const nothing = { device: "nobody", signal: "none", fromUnixMs: 0, toUnixMs: 1, pointsMax: 1 };
  const isUp = (): Promise<boolean> =>
    history.read(nothing).then(
      () => true,
      () => false,
    );
  await expect.poll(isUp, { timeout: 30_000 }).toBe(true);
  return history;
}

describe("the history on its thread", () => {
  it(
    "answers what was just committed, lets the spool go, and is rebuilt after deletion",
    async () => {
      const now = new SystemClock().unixMs();
      let storage = await openStore();
      let history = await started(openHistory(storage));
      await storage.spool.openSinks([]);
      const { epoch } = await storage.spool.hello(helloOf());
      await commit(storage, epoch, 1, now - HOUR_MS);
      const query = { device: "attic-7", signal: "#1", fromUnixMs: now - 2 * HOUR_MS, toUnixMs: now, pointsMax: 500 };
      // A question follows the spool for a bounded time: on a loaded machine the next one brings the rest.
      const count = async (): Promise<number> => (await history.read(query)).t.length;
      await expect.poll(count, { timeout: 30_000 }).toBe(100);
      const answer = await history.read(query);
      expect(answer.v?.slice(0, 2)).toEqual([21.5, 22.5]);
      expect(await history.latest()).toMatchObject([{ device: "attic-7", readings: [{ signal: "#1", v: 22.5 }] }]);
      expect((await storage.spool.status()).recordCount).toBe(50);
      await history.close();
      await storage.close();

      storage = await openStore();
      history = await started(openHistory(storage));
      await storage.spool.openSinks([]);
      await expect.poll(count, { timeout: 30_000 }).toBe(100);
      await commit(storage, epoch, 51, now - HOUR_MS / 2);
      await history.close();
      expect((await storage.spool.status()).recordCount).toBeLessThan(100);
      for (const suffix of ["", "-wal", "-shm"]) rmSync(join(folder.path, `history.db${suffix}`), { force: true });
      const { oldestRecordId, lastRecordId } = await storage.spool.status();
      history = await started(openHistory(storage));
      await expect.poll(count, { timeout: 30_000 }).toBe(2 * (lastRecordId - oldestRecordId + 1));
      await history.close();
      await storage.close();
    },
    TEST_MS_MAX,
  );
});
