/**
 * The wss link: one WebSocket binary message is one protocol message. The SDK's only user of `ws`.
 *
 *   TLS (pinned CA, constant name) ─▶ upgrade (bearer token, tidegate.v1) ─▶ open ─▶ closed
 *
 * With a CA of its own only that CA is trusted, and the constant server name is asked for and checked, so that a new
 * address or host name of the gateway never locks a device out. It never falls back to anything weaker, at no attempt.
 */
import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import {
  CONSTANT_SERVER_NAME,
  HELLO_RETRY_MS,
  MESSAGE_BYTES_MAX,
  Reason,
  reasonOfCloseCode,
  SUBPROTOCOL,
} from "@tidegate/proto";
import WebSocket, { type ClientOptions, type RawData } from "ws";
import { DeviceError } from "../errors.js";
import type { Connect, Link, LinkClosed, LinkEvents, LinkTraits } from "./link.js";

/** What a WebSocket link is opened with. */
export interface WsLinkOptions {
  /** `wss://host:port/v1/device`. `ws://` only to this very machine, or with `insecure`. */
  readonly url: string;
  readonly token?: string;
  /** The gateway's CA certificate in PEM. Without it the system's CAs and the name in the URL count. */
  readonly ca?: string;
  /** Client certificate and key in PEM, instead of or beside a token. */
  readonly cert?: string;
  readonly key?: string;
  /** Default `tidegate.v1`; `tidegate.echo` for the echo service [P-36]. */
  readonly subprotocol?: string;
  /** Allow `ws://` across a network. Everybody on the way can then read, change and impersonate. */
  readonly insecure?: boolean;
  /** Most bytes that wait inside the socket before the link says it is full. */
  readonly bufferedBytesMax?: number;
  readonly handshakeTimeoutMs?: number;
}

const BUFFERED_BYTES_MAX = 256 * 1024;
const HANDSHAKE_TIMEOUT_MS = 30_000;
/** How long an orderly close may take before the socket is cut. `ws` allows 30 s, too long for a stop. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Nobody needs more; it bounds what a hostile peer can make us hold. */
const FRAGMENTS_MAX = 16;

/** TLS errors that mean "this is not the gateway", as opposed to a broken line. */
const UNTRUSTED_CODES = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_SSL_|HOSTNAME_|INVALID_CA|ERR_OSSL_)/;

const TRAITS: LinkTraits = {
  messageBytesMax: MESSAGE_BYTES_MAX,
  // TCP loses nothing, so a late Welcome means a busy gateway: ask again late, not every second.
  helloRetryMs: HELLO_RETRY_MS * 5,
  retransmitMs: 0,
  needsProof: false,
};

/**
 * Links over WebSocket. The returned function opens one link per call and resumes the TLS session of the one before.
 *
 * @throws DeviceError BAD_OPTION when the URL is not allowed, or token, ca or cert are not what they should be
 */
export function wsConnect(options: WsLinkOptions): Connect {
  const url = checkUrl(options);
  checkSecrets(options);
  const resumption: { session: Buffer | undefined } = { session: undefined };
  return (events) => new WsLink(url, options, resumption, events);
}

class WsLink implements Link {
  readonly traits = TRAITS;
  readonly #socket: WebSocket;
  readonly #bufferedBytesMax: number;
  #events: LinkEvents | null;
  #isFull = false;
  #failure: LinkClosed | null = null;

  constructor(url: URL, options: WsLinkOptions, resumption: { session: Buffer | undefined }, events: LinkEvents) {
    this.#events = events;
    this.#bufferedBytesMax = options.bufferedBytesMax ?? BUFFERED_BYTES_MAX;
    this.#socket = new WebSocket(url, options.subprotocol ?? SUBPROTOCOL, socketOptions(url, options, resumption));
    this.#socket.binaryType = "nodebuffer";
    this.#socket.on("open", () => this.#events?.opened());
    this.#socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on("unexpected-response", (request, response) => {
      this.#failure = refusal(response);
      request.destroy();
      this.#end(this.#failure);
    });
    this.#socket.on("error", (error) => {
      this.#failure ??= failureOf(error);
      // A resumed session may be what the peer cannot stand: the next attempt makes a full handshake.
      resumption.session = undefined;
    });
    this.#socket.on("close", (code, reason) => {
      this.#end(this.#failure ?? lost(closeText(code, reason), reasonOfCloseCode(code)));
    });
  }

  get writable(): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    if (this.#socket.bufferedAmount < this.#bufferedBytesMax) return true;
    this.#isFull = true;
    return false;
  }

  send(frame: Uint8Array): boolean {
    if (!this.writable) return false;
    this.#socket.send(frame, { binary: true, compress: false, fin: true }, () => {
      if (!this.#isFull || !this.writable) return;
      this.#isFull = false;
      this.#events?.writable();
    });
    return true;
  }

  close(code: number): void {
    this.#events = null;
    this.#socket.close(code);
  }

  abort(): void {
    this.#events = null;
    this.#socket.terminate();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    // The gateway sends no text; what is not binary is no message of the protocol.
    if (isBinary && Buffer.isBuffer(data)) this.#events?.frame(data);
    else this.#events?.frame(new Uint8Array(0));
  }

  #end(closed: LinkClosed): void {
    const events = this.#events;
    this.#events = null;
    events?.closed(closed);
  }
}

function checkUrl({ url: text, insecure = false, ca }: WsLinkOptions): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new DeviceError("BAD_OPTION", `url "${text}" is no URL`, "Use wss://host:8443/v1/device.", error);
  }
  if (url.protocol === "wss:") return url;
  if (url.protocol !== "ws:") {
    throw new DeviceError("BAD_OPTION", `url "${text}" is neither wss nor ws`, "Use wss://host:8443/v1/device.");
  }
  if (ca !== undefined) {
    throw new DeviceError("BAD_OPTION", "a ca is given, but ws:// has no TLS", "Use wss:// in the url.");
  }
  if (!insecure && !isLoopback(url.hostname)) {
    const todo = "Use wss://, or set insecure: true for a network that you trust wholly.";
    throw new DeviceError("BAD_OPTION", `ws:// to ${url.hostname} is neither private nor authentic`, todo);
  }
  return url;
}

/** What would otherwise only fail at the first attempt, in the middle of the night. */
function checkSecrets({ token, ca, cert, key }: WsLinkOptions): void {
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    const todo = "Give the token as it was printed, without spaces or line ends.";
    throw new DeviceError("BAD_OPTION", "the token has characters that no token has", todo);
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new DeviceError("BAD_OPTION", "cert and key come together, one is missing", "Give both, or neither.");
  }
  for (const [name, pem] of Object.entries({ ca, cert })) {
    if (pem === undefined) continue;
    try {
      new X509Certificate(pem);
    } catch (error) {
      const todo = "Give the text of the PEM file, from -----BEGIN CERTIFICATE----- on.";
      throw new DeviceError("BAD_OPTION", `${name} is no certificate`, todo, error);
    }
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

function socketOptions(url: URL, options: WsLinkOptions, resumption: { session: Buffer | undefined }): ClientOptions {
  const { token, ca, cert, key, handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  const common: ClientOptions & { maxFragments: number; closeTimeout: number } = {
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    maxFragments: FRAGMENTS_MAX,
    closeTimeout: CLOSE_TIMEOUT_MS,
    followRedirects: false,
    handshakeTimeout: handshakeTimeoutMs,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
  if (url.protocol === "ws:") return common;
  return {
    ...common,
    // Said outright, because an environment variable can turn the default off.
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    ...(ca === undefined ? {} : { ca, servername: CONSTANT_SERVER_NAME }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    // ws hands over what tls.connect takes; its types only know the plain half of that.
    createConnection: ((tls: ConnectionOptions) => openTls(tls, resumption)) as ClientOptions["createConnection"],
  };
}

/** A TLS connection that resumes the last session: the second handshake is cheap for both sides. */
function openTls(options: ConnectionOptions, resumption: { session: Buffer | undefined }): TLSSocket {
  const { session } = resumption;
  const socket = connectTls({ ...options, path: undefined, ...(session === undefined ? {} : { session }) });
  // Only the session of a peer that was checked: a resumed session skips the check of the name, so keeping one of
  // an impostor would let it in at the second attempt.
  let offered: Buffer | undefined;
  socket.on("session", (fresh) => {
    offered = fresh;
    if (socket.authorized) resumption.session = fresh;
  });
  socket.on("secureConnect", () => {
    if (socket.authorized && offered !== undefined) resumption.session = offered;
  });
  return socket;
}

function refusal(response: IncomingMessage): LinkClosed {
  const { statusCode: status = 0, statusMessage = "" } = response;
  const detail = `the gateway answered ${status} ${statusMessage}`.trim();
  const retryAfterMs = retryAfter(response.headers["retry-after"]);
  const kind = status === 401 || status === 403 ? "refused" : status === 503 || status === 429 ? "busy" : "lost";
  return { kind, reason: Reason.UNSPECIFIED, detail, retryAfterMs };
}

/** RFC 9110 §10.2.3 in seconds; a date needs a clock that the device may not have, so it counts as nothing. */
function retryAfter(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : 0;
}

function failureOf(error: Error & { code?: string }): LinkClosed {
  const code = error.code ?? "";
  const closed = lost(error.message || code);
  return UNTRUSTED_CODES.test(code) ? { ...closed, kind: "untrusted" } : closed;
}

function lost(detail: string, reason: Reason = Reason.UNSPECIFIED): LinkClosed {
  return { kind: "lost", reason, detail, retryAfterMs: 0 };
}

function closeText(code: number, reason: Buffer): string {
  const text = reason.toString("utf8");
  return `the link was closed with ${code}${text && `: ${text}`}`;
}
