/**
 * Boards together: lines laid, boards switched on one after the other, counted, stopped.
 *
 *   credential + kind ─▶ Board ◀─ FaultDriver ◀─ schedule (plan, seed)
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@tidegate/device-sdk";
import type { Credential } from "../credential.js";
import { FaultDriver } from "../faults/fault-driver.js";
import { type FaultKind, type FaultPlan, faultsOf } from "../faults/schedule.js";
import type { OnReady, OnTrouble } from "../fleet.js";
import { childSeed } from "../random.js";
import { addTally, NO_TALLY, type Tally } from "../tally.js";
import { Board } from "./board.js";
import type { BoardKind } from "./board-kind.js";
import type { LineErrorCounts, LineErrorRates } from "./line-faults.js";

/** One board that is wanted. */
export interface WantedBoard {
  readonly kind: BoardKind;
  readonly credential: Credential;
}

/** Which boards, on which gateway, under which faults. */
export interface BoardFleetOptions {
  readonly boards: readonly WantedBoard[];
  /** Data folder of the gateway: its boards plug themselves in below it. */
  readonly dataDir: string;
  /** Its address for devices; null: what each credential says. Only boards with a network go there. */
  readonly devicesUrl?: string | null;
  readonly intervalMs: number;
  readonly seed: number;
  readonly rates: LineErrorRates;
  readonly plan: FaultPlan;
  readonly clock: Clock;
  /** The PATH on which emulators are found. */
  readonly path: string;
  /** Folder of each kind's images, as `buildImages` says. */
  readonly builds: ReadonlyMap<BoardKind, string>;
  readonly onTrouble: OnTrouble;
  /** Every board has been online once. */
  readonly onReady: OnReady;
}

/** Emulators start fast, but each takes a core for a moment. */
const STARTS_PER_S = 10;
/** Keeps boards and virtual devices of one run apart. */
const BOARD_LANE = 0xb0a2d;

/** Boards that run. Owns emulators, sockets and a folder until `stop`. */
export class BoardFleet {
  readonly boards: Board[] = [];
  readonly #options: BoardFleetOptions;
  readonly #drivers: FaultDriver[] = [];
  readonly #seenOnline = new Set<number>();
  readonly #workFolder = mkdtempSync(join(tmpdir(), "tidegate-boards-"));
  #cancelStart: () => void = () => {};
  #isReady = false;
  troubleCount = 0;

  private constructor(options: BoardFleetOptions) {
    this.#options = options;
  }

  /** Plug in, switch on. @throws SimError */
  static async start(options: BoardFleetOptions): Promise<BoardFleet> {
    const fleet = new BoardFleet(options);
    try {
      await fleet.#plugIn();
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    fleet.#powerOnFrom(0);
    return fleet;
  }

  get online(): number {
    return this.boards.filter((board) => board.isOnline).length;
  }

  /** Boards that were online at least once. */
  get everOnline(): number {
    return this.#seenOnline.size;
  }

  get tally(): Tally {
    return this.boards.reduce((sum, board) => addTally(sum, board.tally), NO_TALLY);
  }

  /** Bytes hit on all lines. */
  get lineErrors(): LineErrorCounts {
    const sum = { flipped: 0, lost: 0, inserted: 0 };
    for (const { lineErrors } of this.boards) {
      sum.flipped += lineErrors.flipped;
      sum.lost += lineErrors.lost;
      sum.inserted += lineErrors.inserted;
    }
    return sum;
  }

  /** Faults that happened so far, by kind. */
  faultCounts(): Record<FaultKind, number> {
    const sum: Record<FaultKind, number> = { "drop-link": 0, reboot: 0, "half-open": 0 };
    for (const { counts } of this.#drivers) {
      for (const kind of FAULT_KINDS) sum[kind] += counts[kind];
    }
    return sum;
  }

  async stop(): Promise<void> {
    this.#cancelStart();
    for (const driver of this.#drivers) driver.stop();
    await Promise.all(this.boards.map((board) => board.stop()));
    rmSync(this.#workFolder, { recursive: true, force: true });
  }

  async #plugIn(): Promise<void> {
    const { boards, builds, dataDir, devicesUrl, seed, plan, clock, intervalMs, rates, path } = this.#options;
    const plugFolder = join(dataDir, "boards");
    mkdirSync(plugFolder, { recursive: true, mode: 0o700 });
    chmodSync(plugFolder, 0o700);
    for (const [index, { kind, credential }] of boards.entries()) {
      const own = childSeed(childSeed(seed, BOARD_LANE), index);
      const news = {
        online: () => this.#onOnline(index),
        offline: () => {},
        trouble: (detail: string) => this.#onTrouble(detail),
      };
      const build = builds.get(kind) ?? "";
      const board = new Board({
        ...{ kind, build, credential, plugFolder, intervalMs, path, rates, clock, news },
        workFolder: this.#workFolder,
        url: devicesUrl ?? credential.url,
        seed: own,
      });
      this.boards.push(board);
      await board.plugIn();
      this.#drivers.push(new FaultDriver(faultsOf(plan, childSeed(own, 0xfa)), board, clock));
    }
  }

  #powerOnFrom(index: number): void {
    const board = this.boards[index];
    if (board === undefined) return;
    board.powerOn();
    this.#drivers[index]?.start();
    this.#cancelStart = this.#options.clock.after(1_000 / STARTS_PER_S, () => this.#powerOnFrom(index + 1));
  }

  #onOnline(index: number): void {
    this.#seenOnline.add(index);
    if (this.#isReady || this.#seenOnline.size < this.boards.length) return;
    this.#isReady = true;
    this.#options.onReady();
  }

  #onTrouble(detail: string): void {
    this.troubleCount += 1;
    this.#options.onTrouble(detail);
  }
}

const FAULT_KINDS = ["drop-link", "reboot", "half-open"] as const;
