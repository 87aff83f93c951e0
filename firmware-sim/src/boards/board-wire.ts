/** What connects an emulated board with the gateway: a serial line (board-line.ts), or Ethernet (ethernet-wire.ts). */
import type { Tally } from "../tally.js";
import type { BoardIdentity } from "./identity.js";
import type { LineErrorCounts, LineErrorRates } from "./line-faults.js";

/** What is known of the board behind it. */
export interface WireLog {
  readonly isOnline: boolean;
  readonly tally: Tally;
  /** The board lost its memory. */
  rebooted(): void;
}

/** One wire. Owns sockets from `open` to `close`. */
export interface BoardWire {
  readonly log: WireLog;
  /** Bytes hit so far. */
  readonly errors: LineErrorCounts;
  /** May the board be switched on: what it says would be heard. */
  readonly isOpen: boolean;
  /** @throws SimError when a socket cannot be made */
  open(): Promise<void>;
  close(): Promise<void>;
  /** What stands in the board's memory about itself and its way to the gateway. @throws SimError */
  page(identity: BoardIdentity): Buffer;
  /** From now on it is so good or bad. */
  spoil(rates: LineErrorRates): void;
  /** Pull the cable for a while. @returns whether it was in */
  unplug(awayMs: number): boolean;
  /** Nothing passes for a while. @returns whether something flowed */
  stall(holdMs: number, deliversLate: boolean): boolean;
}
