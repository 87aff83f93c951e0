/**
 * The port that devices connect to: TLS, the upgrade gate, and a link per WebSocket.
 *
 *   TCP ─▶ waiting room ─▶ TLS ─▶ GET /v1/device ─gate─▶ 101 ─▶ WsLink ─▶ session
 *                                                  └──▶ 400 401 403 404 429 503, socket ended
 */
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { type AddressInfo, BlockList, isIPv6, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { SUBPROTOCOL } from "@tidegate/proto";
import { type WebSocket, WebSocketServer } from "ws";
import type { Clock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";
import type { Instants } from "../core/turn-clock.js";
import { FailedLogins } from "./failed-logins.js";
import { hintAtTls } from "./plain-guests.js";
import { type AdmissionLimits, comeBackMs, type GateVerdict, judgeUpgrade } from "./upgrade-gate.js";
import { WaitingRoom } from "./waiting-room.js";
import { type LinkListener, WsLink, type WsLinkOptions } from "./ws-link.js";

export interface TlsMaterial {
  readonly key: string | Buffer;
  readonly cert: string | Buffer;
  /** 48 bytes that survive a restart, so that devices resume instead of paying full handshakes. */
  readonly ticketKeys: Buffer;
}

export interface ListenerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** null: plain ws, allowed by the configuration only on loopback or behind a trusted proxy. */
  readonly tls: TlsMaterial | null;
  /** Proxies whose X-Forwarded-For is believed, as CIDR. */
  readonly trustProxy: readonly string[];
  readonly testEcho: boolean;
  readonly admission: AdmissionLimits;
  readonly messageBytesMax: number;
  readonly outboundBytesMax: number;
  /** Sustained messages per second of one device, and how many it may send at once. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Wrong credentials per minute and address before the address waits. */
  readonly authFailuresPerMinute: number;
  /** TLS and the HTTP head together; an M0+ needs 6 s of CPU for its handshake [P-22]. */
  readonly handshakeTimeoutMs: number;
}

export interface ListenerHost {
  readonly clock: Clock;
  readonly arrivals: Instants;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Links that have not said Hello yet. */
  greetingCount(): number;
  authenticate(token: string): string | null;
  /** A device's link is open. */
  open(link: WsLink): LinkListener;
}

/** Enough for any upgrade request; a longer head is not from a device. */
const HEADER_BYTES_MAX = 8192;
/** ws rejects more fragments or buffered chunks than these; devices send each message in one frame. */
const FRAGMENTS_MAX = 16;
const BUFFERED_CHUNKS_MAX = 1024;

/** One function for all sockets: without a listener an early reset would be an uncaught error. */
const ignore = (): void => {};

/** The listening port. Nothing happens before `listen`; `close` frees the port. */
export class WsListener {
  readonly #options: ListenerOptions;
  readonly #host: ListenerHost;
  readonly #server: Server | HttpsServer;
  readonly #sockets: WebSocketServer;
  readonly #links = new Set<WsLink>();
  readonly #failures: FailedLogins;
  readonly #room: WaitingRoom<Guest>;
  readonly #proxies: BlockList;
  readonly #counters: ReturnType<typeof listenerCounters>;
  /** One object for all links: ten thousand of them are counted in kilobytes. */
  readonly #linkOptions: WsLinkOptions;
  #paused = false;

  constructor(options: ListenerOptions, host: ListenerHost) {
    this.#options = options;
    this.#host = host;
    this.#counters = listenerCounters(host.metrics);
    this.#proxies = blockList(options.trustProxy);
    this.#failures = new FailedLogins(options.authFailuresPerMinute);
    this.#room = new WaitingRoom<Guest>(options.admission.perSecond, {
      clock: host.clock,
      isCrowded: () => host.greetingCount() >= options.admission.greetingCountMax,
      letIn: ({ begin }) => begin(),
      turnAway: ({ socket }) => {
        this.#counters.turnedAway.value += 1;
        socket.destroy();
      },
    });
    host.metrics.gauge("connections_waiting", "Connections that wait to be let in", () => this.#room.waitingCount);
    this.#linkOptions = linkOptions(options, host, this.#counters, (link) => this.#links.delete(link));
    this.#server = makeServer(options);
    seatFirst(this.#server, this.#room);
    // Types of ws lag behind: the two chunk limits are documented options since 8.21.
    const wsOptions = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytesMax,
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: BUFFERED_CHUNKS_MAX,
      handleProtocols: (offered: Set<string>) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : ([...offered][0] ?? false)),
    };
    this.#sockets = new WebSocketServer(wsOptions);
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on("request", (_request, response) => {
      response.writeHead(426, { "content-type": "text/plain", connection: "close" });
      response.end("This port speaks WebSocket to devices; the dashboard has its own port.\n");
    });
    this.#server.on("tlsClientError", () => {
      this.#counters.tlsFailures.value += 1;
    });
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Errors: E_PORT_BUSY, E_LISTEN. @returns the bound port. */
  listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
      this.#server.once("error", failed);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off("error", failed);
        // AddressInfo, because it listens on TCP.
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** New certificate and key, for connections from now on. */
  reload(tls: TlsMaterial): void {
    if (!("setSecureContext" in this.#server)) return;
    this.#server.setSecureContext({ key: tls.key, cert: tls.cert });
  }

  /** Stop or go on reading from every device: back-pressure when the gather buffer is full. */
  pressure(on: boolean): void {
    this.#paused = on;
    for (const link of this.#links) link.hold(on);
  }

  get linkCount(): number {
    return this.#links.size;
  }

  /**
   * No new connections. The sessions have said Bye; links that do not close by themselves are cut after the grace.
   * Resolves when the port is free.
   */
  async close(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    this.#room.close();
    const cancel = this.#host.clock.after(graceMs, () => {
      for (const link of this.#links) link.cut();
    });
    await closed;
    cancel();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const remote = this.#remote(request);
    const address = remote.address;
    const now = this.#host.clock.monoMs();
    const verdict = judgeUpgrade(
      {
        path: (request.url ?? "").split("?", 1)[0] ?? "",
        host: request.headers.host,
        origin: request.headers.origin,
        authorization: request.headers.authorization,
        protocols: request.headers["sec-websocket-protocol"],
      },
      {
        testEcho: this.#options.testEcho,
        comeBackInMs: comeBackMs(
          { links: this.#links.size, greeting: this.#host.greetingCount() },
          this.#options.admission,
          this.#host.random.unit(),
        ),
        lockedOut: this.#failures.lockedOut(address, now),
        authenticate: (token) => this.#host.authenticate(token),
      },
    );
    if (verdict.let === "none") {
      this.#refuse(socket, address, verdict);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      if (verdict.let === "echo") echo(websocket, this.#options.outboundBytesMax);
      else this.#adopt({ websocket, stream: socket }, verdict.device, remote.text);
    });
  }

  #adopt(
    { websocket, stream }: { readonly websocket: WebSocket; readonly stream: Duplex },
    device: string,
    remote: string,
  ): void {
    const link = new WsLink(websocket, stream, { remote, identity: device }, this.#linkOptions);
    this.#links.add(link);
    this.#counters.opened.value += 1;
    link.listen(this.#host.open(link));
    if (this.#paused) link.hold(true);
  }

  #refuse(socket: Duplex, address: string, verdict: Extract<GateVerdict, { let: "none" }>): void {
    socket.on("error", ignore); // `ws` takes care of those that it gets
    this.#counters.refused.value += 1;
    if (verdict.badCredential) this.#failures.failed(address, this.#host.clock.monoMs());
    this.#host.log.info({ remote: address, status: verdict.status, why: verdict.why }, "device connection refused");
    const retry = verdict.retryAfterS === undefined ? "" : `Retry-After: ${verdict.retryAfterS}\r\n`;
    const body = `${verdict.why}\n`;
    const lines = [
      `HTTP/1.1 ${verdict.status} ${STATUS_TEXT[verdict.status]}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${Buffer.byteLength(body)}`,
      `${verdict.status === 401 ? "WWW-Authenticate: Bearer\r\n" : ""}${retry}Connection: close`,
    ];
    socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
  }

  #remote(request: IncomingMessage): { address: string; text: string } {
    const peer = request.socket.remoteAddress ?? "";
    const plain = peer.startsWith("::ffff:") ? peer.slice(7) : peer;
    const forwarded = request.headers["x-forwarded-for"];
    if (typeof forwarded === "string" && this.#proxies.check(plain, isIPv6(plain) ? "ipv6" : "ipv4")) {
      const client = forwarded.split(",").at(-1)?.trim() ?? "";
      if (client !== "" && client.length <= 45) return { address: client, text: `${client} (proxy ${plain})` };
    }
    return { address: plain, text: `${plain}:${request.socket.remotePort ?? 0}` };
  }
}

function linkOptions(
  options: ListenerOptions,
  { clock, arrivals }: ListenerHost,
  { slowPeers, noisyPeers }: ReturnType<typeof listenerCounters>,
  gone: (link: WsLink) => void,
): WsLinkOptions {
  const { messageBytesMax, outboundBytesMax, messagesPerSecond, messageBurst } = options;
  const limits = { messageBytesMax, outboundBytesMax, messagesPerSecond, messageBurst };
  return { ...limits, clock, arrivals, slowPeers, noisyPeers, gone };
}

const STATUS_TEXT = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  429: "Too Many Requests",
  503: "Service Unavailable",
} as const;

function makeServer(options: ListenerOptions): Server | HttpsServer {
  const http = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: options.handshakeTimeoutMs,
    requestTimeout: options.handshakeTimeoutMs,
    noDelay: true,
  };
  if (options.tls === null) return createHttpServer(http);
  const server = createHttpsServer({
    ...http,
    key: options.tls.key,
    cert: options.tls.cert,
    ticketKeys: options.tls.ticketKeys,
    minVersion: "TLSv1.2",
    handshakeTimeout: options.handshakeTimeoutMs,
  });
  hintAtTls(server);
  return server;
}

/** A connection before its TLS. */
interface Guest {
  readonly socket: Socket;
  /** Hand it to TLS, or to HTTP where there is none. */
  readonly begin: () => void;
}

/**
 * New connections pass the room first. Whoever listens for them already (TLS, HTTP, the hint) hears of each when it is
 * let in; bytes that came meanwhile wait in the socket, 16 KiB at most.
 */
function seatFirst(server: Server | HttpsServer, room: WaitingRoom<Guest>): void {
  const listeners = server.listeners("connection") as ((socket: Socket) => void)[]; // the event's own type
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const leave = (): void => room.leave(guest);
    const begin = (): void => {
      socket.off("close", leave);
      if (!socket.destroyed) for (const listener of listeners) listener.call(server, socket);
    };
    const guest: Guest = { socket, begin };
    socket.on("error", ignore);
    socket.once("close", leave);
    room.enter(guest);
  });
}

/** Test hook: sends every message back, with the production options of ws. */
function echo(websocket: WebSocket, outboundBytesMax: number): void {
  websocket.on("error", ignore);
  websocket.on("message", (data, isBinary) => {
    if (websocket.bufferedAmount > outboundBytesMax) websocket.terminate();
    else websocket.send(data, { binary: isBinary });
  });
}

function blockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = "", bits] = cidr.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    list.addSubnet(address, Number(bits ?? (family === "ipv6" ? 128 : 32)), family);
  }
  return list;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): GatewayError {
  if (error.code === "EADDRINUSE") {
    return new GatewayError("E_PORT_BUSY", `${host}:${port} for devices is taken by another program`, {
      fix: `stop it (find it with: ss -ltnp 'sport = :${port}'), or set devices.listen to another port`,
      cause: error,
    });
  }
  return new GatewayError("E_LISTEN", `cannot listen on ${host}:${port} for devices: ${error.message}`, {
    fix: "set devices.listen to an address of this machine and a port above 1023",
    cause: error,
  });
}

function listenerCounters(metrics: Metrics) {
  return {
    opened: metrics.counter("links_opened", "WebSocket links opened by devices"),
    refused: metrics.counter("links_refused", "Upgrade requests refused"),
    turnedAway: metrics.counter(
      "connections_turned_away",
      "Connections closed before TLS: no place to wait, or too long",
    ),
    tlsFailures: metrics.counter("tls_failures", "TLS handshakes that failed"),
    noisyPeers: metrics.counter("noisy_peers", "Times a device was paused because it sent more than its share"),
    slowPeers: metrics.counter("slow_peers", "Links cut because the device did not read"),
  };
}
