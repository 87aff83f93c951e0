/**
 * The faults a rehearsal can have, each with what it does between its beginning and its end. All of it happens on real
 * processes: the broker is stopped, lines are cut, calls of the gateway to its disk are delayed or fail.
 */
import { constants } from "node:os";
import type { BrokerProcess } from "./broker-process.js";
import { pause } from "./child.js";
import type { Faultline } from "./faultline.js";
import type { GatewayProcess } from "./gateway-process.js";
import type { Line } from "./line.js";

/** What a fault may touch. */
export interface FaultStage {
  readonly gateway: GatewayProcess;
  readonly broker: BrokerProcess;
  /** Between gateway and broker. */
  readonly north: Line;
  /** Between devices and gateway. */
  readonly south: Line;
  /** Under the gateway. */
  readonly faults: Faultline;
  readonly say: (text: string) => void;
}

interface Fault {
  /** One line of help. */
  readonly what: string;
  /** Lasts `durationMs`; when it resolves, everything is sound again. */
  run(stage: FaultStage, durationMs: number): Promise<void>;
}

const FLAP_MS = 400;

/** A server whose fsync hangs for seconds is a card that collects its garbage. */
const FSYNC_DELAYS_MS = [200, 1_000, 5_000];

const YEAR_MS = 365.25 * 86_400_000;

/** Wall clocks a gateway may wake up with: the epoch, after 2038, yesterday, an hour from now. */
const CLOCK_YEARS = [-56, 15, -1 / 365, 1 / 8766];

async function inPieces(durationMs: number, pieceMs: number, work: (piece: number) => void | Promise<void>) {
  const pieces = Math.max(1, Math.round(durationMs / pieceMs));
  for (let piece = 0; piece < pieces; piece++) {
    await work(piece);
    await pause(durationMs / pieces);
  }
}

export const FAULTS = {
  "broker-down": {
    what: "the broker is stopped",
    async run({ broker }, durationMs) {
      await broker.stop();
      await pause(durationMs);
      await broker.start();
    },
  },
  "broker-flaps": {
    what: "the line to the broker is cut, twice a second",
    async run({ north }, durationMs) {
      await inPieces(durationMs, FLAP_MS, (piece) => north.set(piece % 2 === 0 ? "cut" : "open"));
      north.set("open");
    },
  },
  "broker-hangs": {
    what: "the broker takes connections and answers nothing",
    async run({ north }, durationMs) {
      north.set("frozen");
      await pause(durationMs);
      north.set("open");
    },
  },
  "acks-lost": {
    what: "the broker takes messages, and its acks are lost with the connection",
    async run({ north }, durationMs) {
      await inPieces(durationMs, FLAP_MS, (piece) => north.set(piece % 2 === 0 ? "deaf" : "open"));
      north.set("open");
    },
  },
  "half-open": {
    what: "the devices' links die without a word to either side",
    async run({ south }, durationMs) {
      south.freezeConnections();
      await pause(durationMs);
    },
  },
  "slow-disk": {
    what: "every fsync takes 0.2, then 1, then 5 s",
    async run({ faults, say }, durationMs) {
      await inPieces(durationMs, durationMs / FSYNC_DELAYS_MS.length, (piece) => {
        faults.slow("fsync", FSYNC_DELAYS_MS[piece] ?? 0);
        say(`an fsync takes ${FSYNC_DELAYS_MS[piece]} ms`);
      });
      faults.heal();
    },
  },
  "disk-full": {
    what: "every write to the data folder fails: no space left",
    async run({ faults }, durationMs) {
      faults.fail("write", constants.errno.ENOSPC);
      await pause(durationMs);
      faults.heal();
    },
  },
  "disk-error": {
    what: "an fsync fails: the gateway must end with 74, and is started again",
    async run({ gateway, faults, say }, durationMs) {
      faults.fail("fsync", constants.errno.EIO);
      const { code, signal } = await gateway.exited;
      if (code !== 74) {
        throw new Error(`a failed fsync ended the gateway with ${signal ?? code} instead of 74: ${gateway.words}`);
      }
      say("the gateway has ended with 74");
      faults.heal();
      await pause(durationMs);
      await gateway.start();
    },
  },
  "clock-jumps": {
    what: "the gateway's wall clock jumps to 1970, past 2038, to yesterday, and back",
    async run({ faults }, durationMs) {
      const pieceMs = durationMs / CLOCK_YEARS.length;
      await inPieces(durationMs, pieceMs, (piece) => faults.setClockOffset((CLOCK_YEARS[piece] ?? 0) * YEAR_MS));
      faults.setClockOffset(0);
    },
  },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[]; // the keys of a constant
