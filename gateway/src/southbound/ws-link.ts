/**
 * One device's WebSocket as a link. With `ws-listener.ts` the southbound's only user of `ws`.
 */
import { CLOSE_CODE, MESSAGE_BYTES_MAX, Reason } from "@tidegate/proto";
import type { WebSocket } from "ws";
import type { Counter } from "../core/metrics.js";

/** What the listener feeds with the link's life; a session. */
export interface LinkListener {
  /** One binary message; valid during the call only. */
  message(bytes: Uint8Array): void;
  /** A text message, which the protocol does not have. */
  text(): void;
  linkLost(): void;
}

export interface WsLinkOptions {
  readonly remote: string;
  readonly identity: string;
  /** A peer that leaves more than this unread is cut off. */
  readonly outboundBytesMax: number;
  readonly slowPeers: Counter;
}

/** A close frame carries at most 125 bytes, two of them the code (RFC 6455 §5.5). */
const DETAIL_BYTES_MAX = 123;

export class WsLink {
  readonly remote: string;
  readonly identity: string;
  readonly messageBytesMax = MESSAGE_BYTES_MAX;
  readonly #socket: WebSocket;
  readonly #options: WsLinkOptions;
  #open = true;

  constructor(socket: WebSocket, options: WsLinkOptions) {
    this.remote = options.remote;
    this.identity = options.identity;
    this.#socket = socket;
    this.#options = options;
  }

  /** Tell `listener` of everything; called once, right after construction. */
  listen(listener: LinkListener): void {
    this.#socket.on("message", (data, isBinary) => {
      if (!this.#open) return;
      if (!isBinary) listener.text();
      else if (Buffer.isBuffer(data)) listener.message(data);
    });
    // The close follows; ws has already chosen the close code (1002, 1007, 1009 …).
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#open = false;
      listener.linkLost();
    });
  }

  send(message: Uint8Array): void {
    if (!this.#open || this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#options.outboundBytesMax) {
      this.#options.slowPeers.value += 1;
      this.#open = false;
      this.#socket.terminate();
      return;
    }
    this.#socket.send(message, SEND_BINARY);
  }

  close(reason: Reason, detail: string): void {
    if (!this.#open) return;
    this.#open = false;
    if (reason === Reason.SILENT) this.#socket.terminate();
    else this.#socket.close(CLOSE_CODE[reason], clip(detail));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

const SEND_BINARY = { binary: true, compress: false, fin: true };

function clip(detail: string): string {
  const bytes = Buffer.from(detail);
  return bytes.length <= DETAIL_BYTES_MAX ? detail : bytes.subarray(0, DETAIL_BYTES_MAX).toString("ascii");
}
