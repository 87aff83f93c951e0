/**
 * The WebSocket door of the live feed. Uses `ws` for its own endpoint; devices have theirs in southbound.
 *
 *   upgrade ─▶ Host? Origin? credential? place? ─▶ 101, seat in the feed
 *                └──── no: one JSON error, socket closed
 *
 * Viewers only listen: what they send is bounded and dropped. A ping every beat notices dead peers.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { type Clock, repeat } from "../core/clock.js";
import type { GatewayError } from "../core/errors.js";
import { errorBody } from "./api-error.js";
import type { LiveFeed, ResumePoint } from "./live-feed.js";
import type { CloseReason, Viewer } from "./live-seat.js";
import { SECURITY_HEADERS } from "./security-headers.js";

/** Viewers have nothing to say. */
const INBOUND_BYTES_MAX = 1024;
/** RFC 6455 and registry close codes; 4401 is ours: log in again. */
const CLOSE_CODES = { stopping: 1001, ended: 4401, stuck: 1013 } as const satisfies Record<CloseReason, number>;

/** `maxFragments` exists since ws 8.23; its published types do not know it yet. */
const OPTIONS: ServerOptions & { maxFragments: number } = {
  noServer: true,
  maxPayload: INBOUND_BYTES_MAX,
  maxFragments: 4,
  perMessageDeflate: false,
  clientTracking: false,
};

/** What a viewer that was let in brings along. */
export interface ViewerEntry {
  readonly from: ResumePoint;
  /** Does the credential it came with still hold? */
  readonly allowed: () => boolean;
}

/** Turns upgrades that were let in into viewers of the feed. */
export class LiveSocketDoor {
  readonly #feed: LiveFeed;
  readonly #clock: Clock;
  readonly #server = new WebSocketServer(OPTIONS);

  constructor(feed: LiveFeed, clock: Clock) {
    this.#feed = feed;
    this.#clock = clock;
  }

  /** Take over an upgrade that was let in. The feed's `hasPlace` was asked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, entry: ViewerEntry): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => this.#seat(ws, entry));
  }

  #seat(ws: WebSocket, { from, allowed }: ViewerEntry): void {
    const leave = this.#feed.join(socketViewer(ws, allowed), from);
    const stopPings = this.#watch(ws);
    ws.on("message", () => {});
    ws.on("error", () => ws.terminate());
    ws.on("close", () => {
      stopPings();
      leave();
    });
  }

  /** Two beats without any answer: the peer is gone. */
  #watch(ws: WebSocket): () => void {
    let silentBeats = 0;
    ws.on("pong", () => {
      silentBeats = 0;
    });
    return repeat(this.#clock, this.#feed.limits.beatMs, () => {
      silentBeats += 1;
      if (silentBeats > 2) ws.terminate();
      else ws.ping();
    });
  }
}

function socketViewer(ws: WebSocket, allowed: () => boolean): Viewer {
  return {
    bufferedBytes: () => ws.bufferedAmount,
    send: (frame) => {
      if (ws.readyState === ws.OPEN) ws.send(frame.socketBytes, { binary: false });
    },
    allowed,
    close: (why) => {
      ws.close(CLOSE_CODES[why], why);
      if (why === "stuck") ws.terminate();
    },
  };
}

/** Answer an upgrade with an error and end the socket: with an `upgrade` listener Node answers nothing by itself. */
export function refuseUpgrade(socket: Duplex, error: GatewayError): void {
  const body = JSON.stringify(errorBody(error));
  const headers = Object.entries({ ...SECURITY_HEADERS, "Content-Type": "application/json", Connection: "close" });
  const lines = headers.map(([key, value]) => `${key}: ${value}`).join("\r\n");
  socket.on("error", () => socket.destroy());
  const head = `HTTP/1.1 ${error.httpStatus} Refused\r\n${lines}\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\n\r\n${body}`);
}
