/**
 * One simulated wss connection: the SDK's `Link` at one end, the gateway's `DeviceLink` at the other, a pipe each way.
 *
 *   device ──send──▶ up ──▶ session.message        Ends of either side travel behind what was sent before them, so a
 *   device ◀─frame── down ◀── link.send            link the device has left may still speak to the gateway, late.
 */

import type { Connect } from "@tidegate/device-sdk";
import { CLOSE_CODE, decodeDownlink, MESSAGE_BYTES_MAX, Reason } from "@tidegate/proto";
import type { DeviceLink } from "tidegate/dist/session/session-ports.js";
import { Pipe, type PipeFacts } from "./pipe.js";

type LinkEvents = Parameters<Connect>[0];
type Link = ReturnType<Connect>;

/** What the gateway feeds with a link's messages: its session. */
export interface Listener {
  message(bytes: Uint8Array): void;
  linkLost(): void;
}

/** What the network wants to know of its connections. */
export interface ConnectionWatch {
  /** The device handed a frame to its link. @returns what to call when the gateway reads it. */
  sent(frame: Uint8Array): () => void;
  /** The gateway answered a Hello on it. */
  welcomed(): void;
  /** The gateway closed it, and the device was still there to hear why. */
  closed(reason: Reason): void;
  /** Should this frame arrive twice? */
  isDoubled(frame: Uint8Array): boolean;
}

const TRAITS = { messageBytesMax: MESSAGE_BYTES_MAX, helloRetryMs: 4_000, retransmitMs: 0, needsProof: false };
/** First byte of a Downlink that carries a Welcome: field 1, length-delimited. */
const WELCOME_TAG = 0x0a;
/** Of one that carries a Bye: field 7. */
const BYE_TAG = 0x3a;
const LOST = { kind: "lost", reason: Reason.UNSPECIFIED, detail: "the connection broke", retryAfterMs: 0 } as const;

/** One attempt of a device to reach the gateway; the network makes, breaks and forgets it. */
export class SimConnection {
  readonly device: string;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly link: Link;
  readonly gatewayLink: DeviceLink;
  readonly #events: LinkEvents;
  readonly #watch: ConnectionWatch;
  /** Called with every frame of the device, before it is on its way. */
  onSent: (frame: Uint8Array) => void = () => {};
  #deviceEnd: "opening" | "open" | "left" = "opening";
  #listener: Listener | null = null;

  constructor(device: string, events: LinkEvents, facts: PipeFacts, watch: ConnectionWatch) {
    this.device = device;
    this.#events = events;
    this.#watch = watch;
    this.up = new Pipe(facts);
    this.down = new Pipe(facts);
    this.link = this.#makeLink();
    this.gatewayLink = {
      remote: device,
      identity: device,
      messageBytesMax: MESSAGE_BYTES_MAX,
      send: (message) => this.#fromGateway(message),
      close: (reason) => this.#closedByGateway(reason),
    };
  }

  /** Neither end has any business with it. */
  get isOver(): boolean {
    return this.#deviceEnd === "left" && this.#listener === null;
  }

  get hasDevice(): boolean {
    return this.#deviceEnd !== "left";
  }

  /** The gateway took the connection; the device learns of it a latency later. */
  accepted(listener: Listener): void {
    this.#listener = listener;
    this.down.put(() => {
      if (this.#deviceEnd !== "opening") return;
      this.#deviceEnd = "open";
      this.#events.opened();
    });
  }

  /** The device's end is told that the connection broke. */
  breakDevice(): void {
    this.down.lose();
    if (this.#deviceEnd === "left") return;
    this.#deviceEnd = "left";
    this.#events.closed(LOST);
  }

  /** The gateway's end is told; what it was sent and has not read is gone. */
  breakGateway(): void {
    this.up.lose();
    const listener = this.#listener;
    this.#listener = null;
    listener?.linkLost();
  }

  /** The gateway's process died: its end is nobody's any more. */
  orphan(): void {
    this.#listener = null;
    this.up.lose();
  }

  /** The device's process died without a word. */
  deviceDied(): void {
    this.#deviceEnd = "left";
    this.down.lose();
  }

  /** The gateway reads the end of the connection behind what was sent. */
  endUp(): void {
    this.up.put(() => this.breakGateway());
  }

  #makeLink(): Link {
    const isOpen = (): boolean => this.#deviceEnd === "open";
    return {
      traits: TRAITS,
      get writable() {
        return isOpen();
      },
      send: (frame) => this.#fromDevice(frame),
      close: () => this.#leftByDevice(),
      abort: () => this.#leftByDevice(),
    };
  }

  #fromDevice(frame: Uint8Array): boolean {
    if (this.#deviceEnd !== "open") return false;
    this.onSent(frame);
    const read = this.#watch.sent(frame);
    if (!this.hasDevice) return false; // it died of it
    const copies = this.#watch.isDoubled(frame) ? 2 : 1;
    const deliver = (): void => {
      if (this.#listener === null) return;
      read();
      this.#listener.message(frame);
    };
    for (let i = 0; i < copies; i++) this.up.put(deliver);
    return true;
  }

  #leftByDevice(): void {
    if (this.#deviceEnd === "left") return;
    this.#deviceEnd = "left";
    this.down.lose();
    this.endUp();
  }

  #fromGateway(message: Uint8Array): void {
    if (this.#listener === null) return;
    if (message[0] === WELCOME_TAG) this.#watch.welcomed();
    this.down.put(() => {
      if (this.#deviceEnd !== "open") return;
      if (message[0] === BYE_TAG) this.#heardBye(message);
      this.#events.frame(message);
    });
  }

  #heardBye(message: Uint8Array): void {
    const decoded = decodeDownlink(message);
    if (decoded.ok && decoded.value?.kind === "bye") this.#watch.closed(decoded.value.bye.reason);
  }

  #closedByGateway(reason: Reason): void {
    if (this.#listener === null) return;
    this.#listener = null;
    this.up.lose();
    this.down.put(() => {
      if (this.#deviceEnd === "left") return;
      this.#deviceEnd = "left";
      const told = CLOSE_CODE[reason] === undefined ? Reason.UNSPECIFIED : reason;
      this.#events.closed({ ...LOST, reason: told, detail: "closed by the gateway" });
    });
  }
}
