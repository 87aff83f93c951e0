/**
 * What a board on Ethernet says of itself on its console (firmware/network/main.c); its messages are ciphertext to us.
 *
 *   online 3625368374 …           a session, its epoch              offline 0 …   refused 3 …
 *   held 2 acked 40 dropped 0 put 45 sessions 2 commands 1          its counters since it was switched on
 */
import { NO_TALLY, type Tally } from "../tally.js";
import type { WireLog } from "./board-wire.js";

/** A board's console says less than this in a line; of more the end is kept. */
const LINE_CHARS_MAX = 512;
const COUNTERS = /^held (\d+) acked (\d+) dropped (\d+) put (\d+) sessions (\d+) commands (\d+)/;

interface Counters {
  readonly held: number;
  readonly acked: number;
  readonly dropped: number;
  /** Messages put on the link, repeats included. */
  readonly put: number;
  readonly sessions: number;
  readonly commands: number;
}
const NONE: Counters = { held: 0, acked: 0, dropped: 0, put: 0, sessions: 0, commands: 0 };

/** Reads along. Readings are not counted: the console does not say them. */
export class ConsoleLog implements WireLog {
  readonly #onOnline: () => void;
  #rest = "";
  #isOnline = false;
  #now = NONE;
  /** Of the boots before; `held` is what went with their memory. */
  #before = NONE;
  #reboots = 0;

  constructor(onOnline: () => void = () => {}) {
    this.#onOnline = onOnline;
  }

  get isOnline(): boolean {
    return this.#isOnline;
  }

  get tally(): Tally {
    const [a, b] = [this.#before, this.#now];
    const acked = a.acked + b.acked;
    const sent = acked + a.held + b.held;
    const sessions = a.sessions + b.sessions;
    return {
      ...NO_TALLY,
      ...{ sent, acked, sessions },
      repeated: Math.max(0, a.put + b.put - sent),
      buffered: b.held,
      dropped: a.dropped + b.dropped,
      lostByReboot: a.held,
      reconnects: Math.max(0, sessions - 1),
      reboots: this.#reboots,
      commands: a.commands + b.commands,
    };
  }

  /** Bytes of the console. */
  said(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = (lines.pop() ?? "").slice(-LINE_CHARS_MAX);
    for (const line of lines) this.#onLine(line);
  }

  rebooted(): void {
    const [a, b] = [this.#before, this.#now];
    this.#before = {
      held: a.held + b.held,
      acked: a.acked + b.acked,
      dropped: a.dropped + b.dropped,
      put: a.put + b.put,
      sessions: a.sessions + b.sessions,
      commands: a.commands + b.commands,
    };
    this.#now = NONE;
    this.#rest = "";
    this.#isOnline = false;
    this.#reboots += 1;
  }

  #onLine(line: string): void {
    if (line.startsWith("online ")) {
      this.#isOnline = true;
      this.#onOnline();
    } else if (line.startsWith("offline ") || line.startsWith("refused ")) this.#isOnline = false;
    const counters = COUNTERS.exec(line);
    if (counters === null) return;
    const [held = 0, acked = 0, dropped = 0, put = 0, sessions = 0, commands = 0] = counters.slice(1).map(Number);
    this.#now = { held, acked, dropped, put, sessions, commands };
  }
}
