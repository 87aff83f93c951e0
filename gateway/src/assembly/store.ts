/**
 * Everything durable, opened for this configuration: the store's two databases, and the history.
 */
import type { HistoryReader, LiveSource } from "../admin/admin-host.js";
import type { Config } from "../config/config.js";
import type { Random } from "../core/random.js";
import type { CommandStore } from "../model/command.js";
import type { IdentityStore } from "../model/identity.js";
import type { Spool, SpoolReader } from "../model/spool.js";
import { readBootId } from "../storage/boot-id.js";
import { HISTORY_SINK } from "../storage/cursors.js";
import { openHistoryClient } from "../storage/history-client.js";
import { NO_HISTORY } from "../storage/no-history.js";
import { openStorage } from "../storage/open-storage.js";
import { withPromptStatus } from "../storage/prompt-status.js";
import type { Storage } from "../storage/storage-client.js";
import { commitIntervalOf } from "./commit-interval.js";
import { memoryMetrics } from "./memory-metrics.js";
import type { GatewayWorld } from "./world.js";

export interface Store {
  readonly spool: Spool;
  readonly reader: SpoolReader;
  readonly commands: CommandStore;
  readonly identities: IdentityStore;
  readonly history: HistoryReader & Pick<LiveSource, "latest">;
  /** This boot of the machine: monotonic deadlines belong to it. */
  readonly bootId: string;
  /** Copy both databases into a folder that is there. Errors: E_STORE_FULL, E_STORE_IO, E_STORE_BUSY. */
  backup(folder: string): Promise<void>;
  /** Resolves when the storage worker has come to it in its queue. */
  ping(): Promise<void>;
  /** Calls the storage worker has answered since the start. */
  answeredCount(): number;
  close(): Promise<void>;
}

/** Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO. */
export async function openStore(config: Config, world: GatewayWorld): Promise<Store> {
  const { storage, devices, gateway, history } = config;
  const bootId = readBootId(world.random);
  const opened = await openStorage({
    dataDir: gateway.dataDir,
    gatewayId: gateway.id,
    quotaBytes: storage.quotaBytes,
    whenFull: storage.whenFull,
    windowDigests: devices.window,
    keepsHistory: history.isEnabled,
    bootId,
    commandLimits: {
      idempotencyMs: config.commands.idempotencyMs,
      unfinishedPerDeviceMax: config.commands.unfinishedPerDeviceMax,
    },
    isGentle: commitIntervalOf(config) > 0,
    onFatal: world.onFatal,
  });
  for (const { level, sentence, facts } of opened.notices) world.log[level](facts, sentence);
  world.metrics.gauge("storage_calls_pending", "Calls waiting for the storage workers", () => opened.pendingCount());
  const historyClient = history.isEnabled ? openHistory(config, world, opened) : NO_HISTORY;
  memoryMetrics(world.metrics, () => [...opened.heaps(), ["history", historyClient.heap]]);
  if (!history.isEnabled && config.sinks.length === 0) {
    world.log.warn({}, "no sink and no history: what devices send is acknowledged, shown live, and deleted");
  }
  return {
    spool: withPromptStatus(opened.spool, world.clock),
    reader: opened.reader,
    commands: opened.commands,
    identities: opened.identity,
    history: historyClient,
    bootId,
    backup: (folder) => opened.backup(folder),
    ping: async () => void (await opened.spool.status()),
    answeredCount: () => opened.answeredCount(),
    // The history first: its last cursor is worth writing.
    close: async () => {
      await historyClient.close();
      await opened.close();
    },
  };
}

/** The history on its own thread, with a cursor in the spool like a sink's. */
function openHistory(config: Config, world: GatewayWorld, opened: Storage) {
  const { keepMs, quotaBytes } = config.history;
  const { clock, random, log, metrics } = world;
  return openHistoryClient(
    { dataDir: config.gateway.dataDir, keepMs, quotaBytes },
    {
      saveCursor: (recordId) => opened.spool.saveCursor(HISTORY_SINK, recordId),
      clock,
      random,
      log,
      metrics,
    },
  );
}

/** Only what `tidegate admin password` needs of a gateway that does not run; nothing of the spool is touched. */
export function openIdentity(dataDir: string, random: Random): Promise<Storage> {
  return openStorage({
    dataDir,
    gatewayId: "offline",
    quotaBytes: Number.MAX_SAFE_INTEGER,
    whenFull: "block",
    windowDigests: 1,
    keepsHistory: false,
    bootId: readBootId(random),
    onFatal: (error) => {
      throw error;
    },
  });
}
