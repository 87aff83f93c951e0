/**
 * Keeps one WebSocket to the live feed, for as long as the page is open.
 *
 *   connecting ──hello──▶ live ──closed, or silent for 12 s──▶ lost ──full-jitter pause──▶ connecting
 *                                                               └─ 401 ─▶ logged out
 *
 * Remembers store and offset, so that a short break loses nothing. Time, randomness and sockets are passed in.
 */
import type { LiveMessage } from "../../../src/admin/live-messages.js";

/** Status arrives every 2 s while somebody looks: this long without a word means that the connection is dead. */
const SILENCE_MS_MAX = 12_000;
const PAUSE_MS_BASE = 500;
const PAUSE_MS_MAX = 10_000;

/** What the connection needs of the browser. */
export interface LiveSurroundings {
  open(query: string): Pick<WebSocket, "close" | "onmessage" | "onclose">;
  after(ms: number, fn: () => void): () => void;
  /** Uniform in [0, 1). */
  random(): number;
  /** Does the session still hold? Rejects or answers true when nobody can say. */
  sessionHolds(): Promise<boolean>;
}

export interface LiveListener {
  message(message: LiveMessage): void;
  /** The connection is gone; the next try comes after `pauseMs`. */
  lost(pauseMs: number): void;
  trying(): void;
  loggedOut(): void;
}

/** The connection to the live feed; `connect` starts it, and it never gives up. */
export class LiveConnection {
  readonly #around: LiveSurroundings;
  readonly #listener: LiveListener;
  #socket: ReturnType<LiveSurroundings["open"]> | null = null;
  #store = "";
  #offset: number | null = null;
  #failures = 0;
  #cancelTimer: () => void = () => {};

  constructor(around: LiveSurroundings, listener: LiveListener) {
    this.#around = around;
    this.#listener = listener;
  }

  /** Connect now, whatever the pause; harmless while connected. */
  connect(): void {
    if (this.#socket !== null) return;
    this.#cancelTimer();
    this.#listener.trying();
    const query = this.#offset === null ? "" : `?after=${this.#offset}&store=${encodeURIComponent(this.#store)}`;
    const socket = this.#around.open(query);
    this.#socket = socket;
    this.#watchSilence(socket);
    socket.onmessage = (event) => this.#received(socket, String(event.data));
    socket.onclose = () => this.#closed(socket);
  }

  #received(socket: object, text: string): void {
    if (socket !== this.#socket) return;
    const message = JSON.parse(text) as LiveMessage; // our own gateway wrote it
    if (message.type === "hello") {
      this.#failures = 0;
      if (!message.recovered || message.store !== this.#store) this.#offset = message.id;
      this.#store = message.store;
    }
    if (message.type === "events" || message.type === "latest") this.#offset = message.id;
    this.#watchSilence(socket);
    this.#listener.message(message);
  }

  #watchSilence(socket: object): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#around.after(SILENCE_MS_MAX, () => {
      const silent = this.#socket;
      this.#closed(socket);
      silent?.close();
    });
  }

  #closed(socket: object): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#cancelTimer();
    const pauseMs = Math.round(this.#around.random() * Math.min(PAUSE_MS_MAX, PAUSE_MS_BASE * 2 ** this.#failures));
    this.#failures = Math.min(this.#failures + 1, 10);
    this.#listener.lost(pauseMs);
    this.#cancelTimer = this.#around.after(pauseMs, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    const holds = await this.#around.sessionHolds().catch(() => true);
    if (holds) this.connect();
    else this.#listener.loggedOut();
  }
}
