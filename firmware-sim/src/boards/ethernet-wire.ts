/**
 * The Ethernet of an emulated board, as its emulator's user network makes it, and its console.
 *
 *   board ─ 10.0.2.2 = our loopback ─▶ relay ─▶ gateway          console ─ uart socket ─▶ log
 *
 *   page   | identity | address of 4 | port u16 | CA bytes u16 | 32 random | CA, DER … |      (firmware/network/main.c)
 */
import { randomBytes, X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@tidegate/device-sdk";
import type { Credential } from "../credential.js";
import { LinkRelay } from "../faults/relay.js";
import { messageOf, SimError, usageError } from "../sim-error.js";
import type { BoardWire } from "./board-wire.js";
import { ConsoleLog } from "./console-log.js";
import { type BoardIdentity, identityPage } from "./identity.js";
import type { LineErrorCounts } from "./line-faults.js";

/** Our loopback, seen from a guest of QEMU's user network. */
const HOST_SEEN_FROM_BOARD = [10, 0, 2, 2] as const;
const NETWORK_BYTES = 8;
const RANDOM_BYTES = 32;
const PORT_AT = 4;
const CA_BYTES_AT = 6;
/** The page is the last 4 KB of the board's flash. */
const PAGE_BYTES_MAX = 4_096;

/** Where a board is, and where it shall go. */
export interface EthernetWireOptions {
  /** Socket for the emulator's console. */
  readonly uart: string;
  /** Address of the gateway, for devices. */
  readonly url: string;
  readonly credential: Credential;
  readonly clock: Clock;
  readonly onOnline?: () => void;
  /** The board may be switched on. */
  readonly onOpen?: () => void;
}

/** One board's way. Owns its relay and its console from `open` to `close`. */
export class EthernetWire implements BoardWire {
  readonly log: ConsoleLog;
  /** TCP has its own checksums: what a byte error would do, it does itself. */
  readonly errors: LineErrorCounts = { flipped: 0, lost: 0, inserted: 0 };
  readonly #options: EthernetWireOptions;
  readonly #ca: Buffer;
  readonly #listener: Server;
  #peer: Socket | null = null;
  #relay: LinkRelay | null = null;

  /** @throws SimError usage, when the gateway shows a certificate that no pinned CA speaks for */
  constructor(options: EthernetWireOptions) {
    this.#options = options;
    this.log = new ConsoleLog(options.onOnline);
    this.#ca = pinned(options);
    this.#listener = createServer((socket) => this.#adopt(socket));
  }

  get isOpen(): boolean {
    return this.#relay !== null;
  }

  async open(): Promise<void> {
    const { uart, url, clock, onOpen } = this.#options;
    rmSync(uart, { force: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#listener.once("error", reject);
        this.#listener.listen(uart, resolve);
      });
      this.#relay = await LinkRelay.listen(url, { clock, bytesPerS: null });
    } catch (error) {
      throw new SimError("a board's network cannot be made", messageOf(error), "try again; ports may have run out");
    }
    onOpen?.();
  }

  page(identity: BoardIdentity): Buffer {
    const way = this.#relay === null ? this.#options.url : this.#relay.through(this.#options.url);
    const network = Buffer.alloc(NETWORK_BYTES);
    network.set(HOST_SEEN_FROM_BOARD);
    network.writeUInt16LE(Number(new URL(way).port), PORT_AT);
    network.writeUInt16LE(this.#ca.length, CA_BYTES_AT);
    return Buffer.concat([identityPage(identity), network, randomBytes(RANDOM_BYTES), this.#ca]);
  }

  /** As `errors` says: nothing to spoil. */
  spoil(): void {}

  unplug(awayMs: number): boolean {
    return this.#relay?.dropLink(awayMs) ?? false;
  }

  stall(holdMs: number, deliversLate: boolean): boolean {
    return this.#relay?.halfOpen(holdMs, deliversLate) ?? false;
  }

  async close(): Promise<void> {
    const relay = this.#relay;
    this.#relay = null;
    await relay?.close();
    this.#peer?.destroy();
    if (this.#listener.listening) await new Promise<void>((resolve) => this.#listener.close(() => resolve()));
  }

  /** The newest counts: the one before is a process that died. */
  #adopt(socket: Socket): void {
    this.#peer?.destroy();
    this.#peer = socket;
    socket.on("error", () => {}); // the emulator ended
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => this.log.said(chunk));
  }
}

/** The CA that the board shall pin; nothing for a plain WebSocket. */
function pinned({ url, credential }: EthernetWireOptions): Buffer {
  if (new URL(url).protocol === "ws:") return Buffer.alloc(0);
  const fix = "leave out --board ethernet, or use a gateway without devices.tls";
  if (credential.ca === null) throw usageError("a board on Ethernet pins the gateway's own CA, and there is none", fix);
  const der = new X509Certificate(credential.ca).raw;
  if (der.length <= PAGE_BYTES_MAX - 256) return der;
  throw usageError(`the gateway's CA has ${der.length} bytes: the board has no room for it`, fix);
}
