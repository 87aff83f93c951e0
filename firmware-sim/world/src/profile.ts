/**
 * What one seed's world is like: sizes, tempos and which faults it has. Every seed draws a different swarm of faults
 * (A. Groce et al., "Swarm Testing", 2012): a kind that is always on hides what only its absence lets happen.
 */
import type { BrokerProfile } from "./broker.js";
import { cEdition } from "./c-edition.js";
import type { DeviceSettings } from "./device-process.js";
import type { GatewaySettings } from "./gateway-process.js";
import type { NetworkProfile } from "./network.js";
import type { Seeded } from "./seeded.js";
import type { DiskProfile } from "./store/gateway-disk.js";
import type { SqlSettings } from "./store/sql-home.js";

/** Faults that strike at random instants. */
export const FAULTS = [
  "cut",
  "half-open",
  "stall",
  "partition",
  "device-power-cut",
  "device-stale-card",
  "device-card-fails",
  "gateway-kill",
  "gateway-reboot",
  "disk-slow",
  "disk-full",
  "broker-down",
  "broker-silent",
  "line-noise",
  "line-unplugged",
  "store-backup",
  "store-restored",
  "wall-jump",
  "record-requeued",
  "device-cloned",
  "device-dies-in-command",
  "block-damaged",
] as const;
/** One kind of fault. */
export type Fault = (typeof FAULTS)[number];

export interface Profile {
  readonly safetyMs: number;
  readonly devices: readonly DeviceSettings[];
  readonly gateway: GatewaySettings;
  readonly network: NetworkProfile;
  readonly disk: DiskProfile;
  /** The gateway's own engine on SQLite; null: its rules on a simulated disk, which is faster. */
  readonly sql: SqlSettings | null;
  readonly broker: BrokerProfile;
  /** Mean time between two faults of a kind, in ms; a kind that is missing never strikes. */
  readonly faultEveryMs: ReadonlyMap<Fault, number>;
  /** Mean time between commands. */
  readonly commandEveryMs: number;
}

/** Share of the worlds on SQLite: they cost several times as much. */
const SQL_SHARE = 0.12;
/** An empty spool takes about this much. */
const QUOTA_BYTES_MIN = 200_000;
const QUOTA_BYTES_MAX = 100_000_000;
const C_SHARE = 0.35;
const SERIAL_SHARE = 0.3;
/** Chance per byte; at one in a hundred hardly a frame comes through whole. */
const NOISE_MIN = 0.000_01;
const NOISE_MAX = 0.005;

/** Rare kinds: each strikes at most every so often, or nothing else would happen. */
const EVERY_MS_MIN: Partial<Record<Fault, number>> = {
  "device-stale-card": 120_000,
  "device-cloned": 120_000,
  "block-damaged": 60_000,
  partition: 30_000,
  "store-restored": 120_000,
};

/**
 * Readings per device and commands per world: few, so that a seed costs a tenth of a second. What matters is how
 * faults fall between them, and many small worlds bring more of that than a few large ones.
 */
const READINGS_MIN = 20;
const READINGS_MAX = 400;
const COMMANDS_MIN = 2;
const COMMANDS_MAX = 80;

/** The world of a seed. Every draw is made in the same order, whatever comes out of it. */
export function drawProfile(random: Seeded): Profile {
  const safetyMs = random.spread(45_000, 900_000);
  const readingMs = safetyMs / random.spread(READINGS_MIN, READINGS_MAX);
  const deviceCount = random.between(1, 4);
  return {
    safetyMs,
    devices: Array.from({ length: deviceCount }, (_, i) => device(random, `dev-${i + 1}`, readingMs)),
    gateway: {
      keepaliveMs: random.pick([5_000, 30_000, 60_000]),
      window: random.pick([1, 2, 8, 64]),
      commitIntervalMs: random.pick([0, 0, 20, 1_000]),
      gatheredBytesMax: random.pick([2_000, 1_000_000]),
      // Small, so that two batches are often in flight with as few devices as there are here.
      largeBatchEntries: random.pick([2, 5, 1_000]),
      sink: { backlogShare: random.chance(0.25) ? random.spread(0.05, 0.9) : null },
    },
    network: {
      latencyMsMin: random.spread(0.1, 20),
      latencyMsMax: random.spread(20, 2_000),
      doubling: random.chance(0.3) ? random.spread(0.001, 0.1) : 0,
      lateHello: random.chance(0.3) ? random.spread(0.01, 0.3) : 0,
    },
    disk: {
      commitMsMin: 0.05,
      commitMsMax: random.spread(0.1, 400),
      busy: random.chance(0.3) ? random.spread(0.0005, 0.05) : 0,
      broken: random.chance(0.3) ? random.spread(0.0002, 0.01) : 0,
    },
    sql: drawSql(random),
    broker: {
      latencyMsMin: 0.1,
      latencyMsMax: random.spread(1, 500),
      receiveMaximum: random.pick([1, 3, 20, 200]),
      ackLoss: random.chance(0.4) ? random.spread(0.001, 0.1) : 0,
      poison: { share: random.chance(0.3) ? random.spread(0.001, 0.05) : 0, hangUps: random.pick([0, 0.5, 1]) },
    },
    faultEveryMs: drawFaults(random, safetyMs),
    commandEveryMs: random.chance(0.7)
      ? safetyMs / random.spread(COMMANDS_MIN, COMMANDS_MAX)
      : Number.POSITIVE_INFINITY,
  };
}

function drawSql(random: Seeded): SqlSettings | null {
  const isSql = random.chance(SQL_SHARE);
  const settings: SqlSettings = {
    quotaBytes: Math.floor(random.chance(0.5) ? random.spread(QUOTA_BYTES_MIN, 2 * QUOTA_BYTES_MIN) : QUOTA_BYTES_MAX),
    whenFull: random.pick(["block", "drop-oldest"]),
    liveRowsKept: random.pick([0, 20, 2_000]),
    holdMaxAgeMs: random.chance(0.3) ? random.spread(5_000, 300_000) : null,
    holdMaxBytes: random.chance(0.3) ? random.spread(1_000, 50_000) : null,
  };
  return isSql ? settings : null;
}

function device(random: Seeded, id: string, readingMs: number): DeviceSettings {
  return {
    id,
    isPersistent: random.chance(0.5),
    messagesMax: random.pick([4, 20, 100_000]),
    saveIntervalMs: random.pick([0, 300, 1_000, 10_000]),
    readingMs: readingMs * random.spread(0.5, 2),
    burst: random.chance(0.5) ? random.spread(0.001, 0.1) : 0,
    commandMsMax: random.spread(10, 20_000),
    ...edition(random),
  };
}

/** Both editions of the SDK, over the network and over serial lines, in one fleet. */
function edition(random: Seeded): Pick<DeviceSettings, "edition" | "lineNoise"> {
  const isC = random.chance(C_SHARE);
  const noise = random.chance(0.5) ? random.spread(NOISE_MIN, NOISE_MAX) : 0;
  const lineNoise = random.chance(SERIAL_SHARE) ? noise : null;
  return { edition: isC && cEdition() !== null ? "c" : "ts", lineNoise };
}

function drawFaults(random: Seeded, safetyMs: number): Map<Fault, number> {
  const every = new Map<Fault, number>();
  for (const fault of FAULTS) {
    if (!random.chance(0.45)) continue;
    every.set(fault, Math.max(EVERY_MS_MIN[fault] ?? 0, random.spread(safetyMs / 100, safetyMs)));
  }
  return every;
}
