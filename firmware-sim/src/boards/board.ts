/**
 * One emulated board: its line, its emulator, and its resets. An emulator that dies is started again, as a watchdog
 * would, but not for ever.
 *
 *   powerOn ─▶ (the gateway opens the line) ─▶ runs ─ reset(offMs) ─▶ off ─▶ runs (next boot)      stop ─▶ gone
 *                └─ died ─▶ waits a second ─▶ runs … the sixth time in a row: trouble
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Clock, SystemRandom } from "@tidegate/device-sdk";
import type { Credential } from "../credential.js";
import type { FaultTarget } from "../faults/fault-driver.js";
import { Child } from "../rehearse/child.js";
import type { Tally } from "../tally.js";
import type { DeviceNews } from "../virtual-device.js";
import type { BoardKind } from "./board-kind.js";
import { BoardLine } from "./board-line.js";
import type { BoardWire } from "./board-wire.js";
import { EthernetWire } from "./ethernet-wire.js";
import type { LineErrorCounts, LineErrorRates } from "./line-faults.js";

/** What a board is, and where it lives. */
export interface BoardOptions {
  readonly kind: BoardKind;
  /** Folder of the kind's images. */
  readonly build: string;
  readonly credential: Credential;
  /** Address of the gateway for devices, for boards with a network. */
  readonly url: string;
  /** Folder in which the gateway looks for lines. */
  readonly plugFolder: string;
  /** Folder of our own for sockets and identity pages; only this user may read it. */
  readonly workFolder: string;
  /** Time between two readings, in ms. */
  readonly intervalMs: number;
  /** The PATH on which emulators are found. */
  readonly path: string;
  readonly seed: number;
  readonly rates: LineErrorRates;
  readonly clock: Clock;
  readonly news: DeviceNews;
}

const RESTART_AFTER_MS = 1_000;
/** An emulator that dies so often without a session in between will die again. */
const DEATHS_MAX = 5;
/** How long the gateway may take to open the line before the person is told. It looks every second. */
const OPENED_WITHIN_MS = 10_000;
const EMULATOR_STOP_MS = 1_000;
const WORDS_MAX = 300;

/** One board. Owns its line and its emulator from `powerOn` to `stop`. */
export class Board implements FaultTarget {
  readonly id: string;
  readonly #options: BoardOptions;
  readonly #line: BoardWire;
  readonly #random = new SystemRandom();
  readonly #uart: string;
  #emulator: Child | null = null;
  #boots = 0;
  #deaths = 0;
  #isWanted = false;
  #isStopped = false;
  #cancelStart: () => void = () => {};
  #cancelOpened: () => void = () => {};

  constructor(options: BoardOptions) {
    const { credential, workFolder } = options;
    this.id = credential.deviceId;
    this.#options = options;
    this.#uart = join(workFolder, `${this.id}.uart`);
    this.#line = this.#wire();
  }

  /** Lay its wire; it stays off until `powerOn`. @throws SimError when it has no room for its id, or for a socket */
  async plugIn(): Promise<void> {
    this.#writePage();
    await this.#line.open();
  }

  get isOnline(): boolean {
    return this.#line.log.isOnline;
  }

  get tally(): Tally {
    return this.#line.log.tally;
  }

  /** Bytes that its line has hit. */
  get lineErrors(): LineErrorCounts {
    return this.#line.errors;
  }

  /** Switch it on as soon as its line is open, as a USB port does: what it said before would be lost. */
  powerOn(): void {
    this.#isWanted = true;
    if (this.#line.isOpen) this.#onOpen();
    this.#cancelOpened = this.#options.clock.after(OPENED_WITHIN_MS, () => {
      if (this.#boots === 0) this.#options.news.trouble(notOpened(this.id, this.#options.plugFolder));
    });
  }

  /** From now on its line is so good or bad. */
  spoilLine(rates: LineErrorRates): void {
    this.#line.spoil(rates);
  }

  dropLink(awayMs: number): boolean {
    return this.#line.unplug(awayMs);
  }

  halfOpen(holdMs: number, deliversLate: boolean): boolean {
    return this.#line.stall(holdMs, deliversLate);
  }

  /** The reset button, held for a while. Its memory is gone. */
  reboot(offMs: number): boolean {
    const emulator = this.#emulator;
    if (emulator === null) return false;
    this.#emulator = null;
    this.#line.log.rebooted();
    void emulator.kill();
    this.#startLater(offMs);
    return true;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelStart();
    this.#cancelOpened();
    const emulator = this.#emulator;
    this.#emulator = null;
    await emulator?.stop(EMULATOR_STOP_MS);
    await this.#line.close();
  }

  #boot(): void {
    const { kind, build, credential, intervalMs, path, url } = this.#options;
    const { deviceId: id, token } = credential;
    this.#boots += 1;
    const page = this.#writePage();
    const { program, args, env } = kind.command(build, { uart: this.#uart, page, id, token, intervalMs, url });
    const emulator = new Child(program, args, { env: { PATH: path, ...env } });
    this.#emulator = emulator;
    void emulator.exited.then(() => this.#onExit(emulator));
  }

  #wire(): BoardWire {
    const { kind, credential, url, plugFolder, rates, seed, clock } = this.#options;
    const told = { onOnline: () => this.#onOnline(), onOpen: () => this.#onOpen() };
    if (kind.link === "ethernet") return new EthernetWire({ uart: this.#uart, url, credential, clock, ...told });
    return new BoardLine({ plug: join(plugFolder, `${this.id}.sock`), uart: this.#uart, rates, seed, clock, ...told });
  }

  /** Another seed at every boot, also of another run: else the gateway would take it for the same boot. */
  #writePage(): string {
    const { credential, workFolder, intervalMs } = this.#options;
    const { deviceId: id, token } = credential;
    const page = join(workFolder, `${id}.page`);
    writeFileSync(page, this.#line.page({ id, token, seed: this.#random.nonce(), intervalMs }), { mode: 0o600 });
    return page;
  }

  #onOpen(): void {
    if (this.#isWanted && !this.#isStopped && this.#boots === 0) this.#boot();
  }

  #onOnline(): void {
    this.#deaths = 0;
    this.#options.news.online();
  }

  #onExit(emulator: Child): void {
    if (this.#isStopped || this.#emulator !== emulator) return;
    this.#emulator = null;
    this.#line.log.rebooted();
    this.#deaths += 1;
    if (this.#deaths > DEATHS_MAX) {
      const words = emulator.words.trim().slice(-WORDS_MAX);
      this.#options.news.trouble(`the emulator of ${this.id} ended ${DEATHS_MAX} times: ${words || "without a word"}`);
      return;
    }
    this.#startLater(RESTART_AFTER_MS);
  }

  #startLater(ms: number): void {
    this.#cancelStart = this.#options.clock.after(ms, () => {
      if (!this.#isStopped) this.#boot();
    });
  }
}

function notOpened(id: string, folder: string): string {
  return `no gateway has opened the line of ${id}; it looks into ${folder} when that is below its own data folder`;
}
