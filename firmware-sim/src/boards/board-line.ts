/**
 * The wire between an emulated board and the gateway: two sockets, and everything that can happen to a cable.
 *
 *   emulator ─ uart socket ─▶ log ─▶ stall? ─▶ faults ─▶ plug socket ─▶ gateway
 *            ◀────────────── log ◀─ stall? ◀─ faults ◀──
 *
 * Both sides connect to us, so that either may come and go. What the board says while nobody listens is lost, as on a
 * real wire. Nothing is held without bound: a stalled line keeps what a USB bridge would, and drops the rest.
 */
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@tidegate/device-sdk";
import { childSeed } from "../random.js";
import { messageOf, SimError } from "../sim-error.js";
import type { BoardWire } from "./board-wire.js";
import { type BoardIdentity, identityPage } from "./identity.js";
import { type LineErrorCounts, type LineErrorRates, LineFaults } from "./line-faults.js";
import { LineLog } from "./line-log.js";

/** Where a wire is, and how bad. */
export interface BoardLineOptions {
  /** Socket for the gateway: what it opens as a serial line. */
  readonly plug: string;
  /** Socket for the emulator. */
  readonly uart: string;
  readonly rates: LineErrorRates;
  readonly seed: number;
  readonly clock: Clock;
  readonly onOnline?: () => void;
  /** A gateway has opened the line. */
  readonly onOpen?: () => void;
}

/** Bytes that a stalled line keeps in each direction: the buffers of a USB bridge. */
const HELD_BYTES_MAX = 4_096;
/** Bytes that may wait for a slow reader; above it the gateway is not read, and the board's bytes are lost. */
const QUEUE_BYTES_MAX = 16_384;
/** `sun_path` of Linux, without the zero behind it. */
const SOCKET_PATH_BYTES_MAX = 107;

/** One end of the wire: at most one peer at a time. */
interface End {
  readonly server: Server;
  readonly path: string;
  socket: Socket | null;
}

/** What a stalled direction keeps. */
interface Held {
  chunks: Uint8Array[];
  bytes: number;
}

/** One wire. Owns both sockets from `open` to `close`. */
export class BoardLine implements BoardWire {
  readonly log: LineLog;
  readonly #options: BoardLineOptions;
  readonly #up: LineFaults;
  readonly #down: LineFaults;
  readonly #plug: End;
  readonly #uart: End;
  #held: { readonly up: Held; readonly down: Held } | null = null;
  #isPlugged = true;
  #cancelUnplug: () => void = () => {};
  #cancelStall: () => void = () => {};
  /** Bytes for which there was no room, or no reader. */
  unheardBytes = 0;

  /** Nothing is there before `open`. */
  constructor(options: BoardLineOptions) {
    this.#options = options;
    this.log = new LineLog(options.onOnline);
    this.#up = new LineFaults(options.rates, childSeed(options.seed, 1));
    this.#down = new LineFaults(options.rates, childSeed(options.seed, 2));
    this.#plug = { server: createServer((socket) => this.#adoptGateway(socket)), path: options.plug, socket: null };
    this.#uart = { server: createServer((socket) => this.#adoptBoard(socket)), path: options.uart, socket: null };
  }

  /** Listen on both ends. @throws SimError when a socket cannot be made */
  async open(): Promise<void> {
    await listen(this.#uart);
    await listen(this.#plug);
  }

  page(identity: BoardIdentity): Buffer {
    return identityPage(identity);
  }

  /** Bytes hit so far, both directions together. */
  get errors(): LineErrorCounts {
    const [a, b] = [this.#up.counts, this.#down.counts];
    return { flipped: a.flipped + b.flipped, lost: a.lost + b.lost, inserted: a.inserted + b.inserted };
  }

  /** From now on the line is so good or bad. */
  spoil(rates: LineErrorRates): void {
    this.#up.rates = rates;
    this.#down.rates = rates;
  }

  /** Does a gateway have the line open? */
  get isOpen(): boolean {
    return this.#plug.socket !== null;
  }

  /** Pull the cable for a while. @returns whether it was in */
  unplug(awayMs: number): boolean {
    if (!this.#isPlugged) return false;
    this.#isPlugged = false;
    void closeEnd(this.#plug);
    this.log.unplugged();
    this.#cancelUnplug = this.#options.clock.after(awayMs, () => {
      this.#isPlugged = true;
      void listen(this.#plug).catch(() => {}); // the folder is gone: so is the gateway that looked into it
    });
    return true;
  }

  /** Nothing passes for a while; then what was kept arrives, or is gone. @returns whether the line was flowing */
  stall(holdMs: number, deliversLate: boolean): boolean {
    if (this.#held !== null) return false;
    this.#held = { up: { chunks: [], bytes: 0 }, down: { chunks: [], bytes: 0 } };
    this.#cancelStall = this.#options.clock.after(holdMs, () => {
      const held = this.#held;
      this.#held = null;
      if (held === null || !deliversLate) return;
      for (const chunk of held.up.chunks) this.#toGateway(chunk);
      for (const chunk of held.down.chunks) this.#toBoard(chunk);
    });
    return true;
  }

  /** Give both sockets back. */
  async close(): Promise<void> {
    this.#cancelUnplug();
    this.#cancelStall();
    await Promise.all([closeEnd(this.#plug), closeEnd(this.#uart)]);
  }

  #adoptGateway(socket: Socket): void {
    replace(this.#plug, socket, () => this.log.unplugged());
    this.#options.onOpen?.();
    socket.on("data", (chunk) => {
      if (this.#held === null) this.#toBoard(chunk);
      else this.#keep(this.#held.down, chunk);
    });
  }

  #adoptBoard(socket: Socket): void {
    replace(this.#uart, socket, () => {});
    socket.on("data", (chunk) => {
      this.log.said(chunk);
      if (this.#held === null) this.#toGateway(chunk);
      else this.#keep(this.#held.up, chunk);
    });
    socket.on("drain", () => this.#plug.socket?.resume());
  }

  #keep(held: Held, chunk: Uint8Array): void {
    const kept = chunk.subarray(0, HELD_BYTES_MAX - held.bytes);
    this.unheardBytes += chunk.length - kept.length;
    held.bytes += kept.length;
    if (kept.length > 0) held.chunks.push(kept);
  }

  #toGateway(chunk: Uint8Array): void {
    const { socket } = this.#plug;
    if (socket === null || socket.writableLength > QUEUE_BYTES_MAX) this.unheardBytes += chunk.length;
    else socket.write(this.#up.pass(chunk));
  }

  #toBoard(chunk: Uint8Array): void {
    const { socket } = this.#uart;
    const bytes = this.#down.pass(chunk);
    this.log.heard(bytes);
    if (socket === null) this.unheardBytes += chunk.length;
    else if (!socket.write(bytes) && socket.writableLength > QUEUE_BYTES_MAX) this.#plug.socket?.pause();
  }
}

/** The newest peer counts: the one before is a process that died. */
function replace(end: End, socket: Socket, onGone: () => void): void {
  end.socket?.destroy();
  end.socket = socket;
  socket.on("error", () => {}); // the close follows
  socket.on("close", () => {
    if (end.socket !== socket) return;
    end.socket = null;
    onGone();
  });
}

function listen({ server, path }: End): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    const why = `${path} is longer than the ${SOCKET_PATH_BYTES_MAX} bytes that a socket's path may have`;
    return Promise.reject(new SimError("a board's line cannot be made", why, "use a data folder with a shorter path"));
  }
  rmSync(path, { force: true }); // of an earlier run that was killed
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(
        new SimError("a board's line cannot be made", messageOf(error), "check the folder and who may write there"),
      );
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

async function closeEnd(end: End): Promise<void> {
  end.socket?.destroy();
  end.socket = null;
  if (!end.server.listening) return;
  await new Promise<void>((resolve) => end.server.close(() => resolve()));
}
