/**
 * One device's WebSocket as a link. With `ws-listener.ts` the southbound's only user of `ws`.
 */
import type { Duplex } from "node:stream";
import { CLOSE_CODE, Reason } from "@tidegate/proto";
import type { WebSocket } from "ws";
import type { Clock } from "../core/clock.js";
import type { Counter } from "../core/metrics.js";
import { TokenBucket } from "../core/token-bucket.js";
import type { Instants } from "../core/turn-clock.js";
import { SMALL_MESSAGE_BYTES_MAX, smallFrame } from "./small-frame.js";
import { WholeFrames } from "./whole-frames.js";

/** What the listener feeds with the link's life; a session. */
export interface LinkListener {
  /** One binary message; valid during the call only. */
  message(bytes: Uint8Array): void;
  /** A text message, which the protocol does not have. */
  text(): void;
  linkLost(): void;
}

/** What all links of a listener share. */
export interface WsLinkOptions {
  readonly messageBytesMax: number;
  /** A peer that leaves more than this unread is cut off. */
  readonly outboundBytesMax: number;
  /** A device that sends more than this waits; the others do not notice it. */
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  readonly clock: Clock;
  /** What messages are counted by: it may stand still within a turn of the event loop. */
  readonly arrivals: Instants;
  readonly slowPeers: Counter;
  readonly noisyPeers: Counter;
  /** The link is closed; its listener hears of it next. */
  readonly gone: (link: WsLink) => void;
}

/** A close frame carries at most 125 bytes, two of them the code (RFC 6455 §5.5). */
const DETAIL_BYTES_MAX = 123;

/** A device link over one WebSocket; made by the listener, used by a session. */
export class WsLink {
  readonly remote: string;
  readonly identity: string;
  readonly messageBytesMax: number;
  readonly #socket: WebSocket;
  /** The stream under the WebSocket, as it came with the upgrade. */
  readonly #stream: Duplex;
  readonly #options: WsLinkOptions;
  readonly #bucket: TokenBucket;
  #open = true;
  /** `ws` found a fault and takes nothing any more. */
  #isFaulty = false;
  /** Reasons not to read: back-pressure of the whole gateway, and this device's own rate. */
  #held = false;
  #cancelRest: (() => void) | null = null;

  /** @param peer who is at the other end: its address for people, and the device that its credential belongs to. */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    peer: { readonly remote: string; readonly identity: string },
    options: WsLinkOptions,
  ) {
    this.remote = peer.remote;
    this.identity = peer.identity;
    this.messageBytesMax = options.messageBytesMax;
    this.#bucket = new TokenBucket(options.messagesPerSecond, options.messageBurst, options.clock.monoMs());
    this.#socket = socket;
    this.#stream = stream;
    this.#options = options;
  }

  /** Tell `listener` of everything; called once, right after construction. */
  listen(listener: LinkListener): void {
    this.#socket.on("message", (data, isBinary) => {
      if (!this.#isReading()) return;
      this.#meter();
      if (!isBinary) listener.text();
      else if (data instanceof Uint8Array) listener.message(data);
    });
    this.#readFrames(listener);
    // The close follows; ws has already chosen the close code (1002, 1007, 1009 …).
    this.#socket.on("error", () => {
      this.#isFaulty = true;
    });
    this.#socket.on("close", () => {
      this.#open = false;
      this.#cancelRest?.();
      this.#options.gone(this);
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
    if (message.length <= SMALL_MESSAGE_BYTES_MAX) this.#stream.write(smallFrame(message));
    else this.#socket.send(message, SEND_BINARY);
  }

  close(reason: Reason, detail: string): void {
    if (!this.#open) return;
    this.#open = false;
    if (reason === Reason.SILENT) this.#socket.terminate();
    else this.#socket.close(CLOSE_CODE[reason], clip(detail));
  }

  /** End the link without waiting for the device. */
  cut(): void {
    this.#open = false;
    this.#socket.terminate();
  }

  /** Stop reading (true) or go on: back-pressure of the whole gateway. */
  hold(on: boolean): void {
    this.#held = on;
    this.#flow();
  }

  /** Between the socket and `ws`: whole binary messages come here directly, the rest reaches `ws` as ever. */
  #readFrames(listener: LinkListener): void {
    const [toWs, ...others] = this.#stream.listeners("data");
    // Not as we know it: then `ws` reads everything, as it would without us.
    if (toWs === undefined || others.length > 0) return;
    const frames = new WholeFrames(this.messageBytesMax, {
      message: (payload) => {
        if (!this.#isReading()) return;
        this.#meter();
        listener.message(payload);
      },
      other: (bytes) => {
        if (!this.#isFaulty) toWs.call(this.#stream, bytes);
      },
    });
    this.#stream.off("data", toWs as (chunk: Buffer) => void); // as it was added
    this.#stream.on("data", (chunk: Buffer) => frames.take(chunk));
  }

  /** What `ws` still reads from a socket that is gone may lack a beginning (`#readFrames`): nobody gets it. */
  #isReading(): boolean {
    return this.#open && this.#socket.readyState === this.#socket.OPEN;
  }

  #meter(): void {
    const waitMs = this.#bucket.take(this.#options.arrivals.monoMs());
    if (waitMs === 0 || this.#cancelRest !== null) return;
    this.#options.noisyPeers.value += 1;
    this.#cancelRest = this.#options.clock.after(waitMs, () => {
      this.#cancelRest = null;
      this.#flow();
    });
    this.#flow();
  }

  #flow(): void {
    if (this.#held || this.#cancelRest !== null) this.#socket.pause();
    else this.#socket.resume();
  }
}

const SEND_BINARY = { binary: true, compress: false, fin: true };

function clip(detail: string): string {
  const bytes = Buffer.from(detail);
  return bytes.length <= DETAIL_BYTES_MAX ? detail : bytes.subarray(0, DETAIL_BYTES_MAX).toString("ascii");
}
