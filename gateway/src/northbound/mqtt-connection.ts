/**
 * One connection to a broker, from dialling to its end; a new one is made for every attempt.
 *
 *   dialling ──ready──▶ handshake ──CONNACK──▶ up ──close()──▶ closing ──▶ closed
 *      └──────────┴─────────────────────────────┴──any failure──▶ closed, down(failure) once
 *
 * It knows packets, not records: the pump and the other users publish through it and learn of acks. Sessions are
 * clean, so packet ids and their acks end with the connection, and nothing that is sent again carries DUP: DUP marks
 * a repeat within one session (MQTT 5 §3.3.1.1), which never happens here.
 */
import type { Duplex } from "node:stream";
import { type IConnackPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { Clock } from "../core/clock.js";
import { failureOfConnack311, failureOfDisconnect } from "./connack-failure.js";
import {
  agreementOf,
  type ConnectionOptions,
  connectPacket,
  contextOf,
  isConnack311,
  PACKET_BYTES_MAX,
  type Session,
} from "./connect-handshake.js";
import type { Dial } from "./dial.js";
import { failureOfError, type SinkFailure, unavailable } from "./failure.js";
import { type AckListener, InFlight } from "./in-flight.js";
import { KeepaliveWatch } from "./keepalive-watch.js";
import { isPuback, PacketFrames, readPuback } from "./packet-frames.js";
import { PacketWriter } from "./packet-writer.js";

export interface OutgoingMessage {
  readonly topic: string | Buffer;
  readonly payload: string | Buffer;
  readonly retain: boolean;
  /** Sent as user property `id` on MQTT 5. */
  readonly id?: string;
  /** Sent as Correlation Data on MQTT 5. */
  readonly correlation?: Buffer;
}

/** What the users of a connection see of it. */
export interface Publisher {
  readonly session: Session;
  /** Unacked messages that may still be sent; 0 also while the socket is congested. */
  readonly freeSlots: number;
  /** The socket takes more. */
  readonly isWritable: boolean;
  /** QoS 1. The caller has seen a free slot; `listener` learns of the ack, and of nothing when the connection ends. */
  publish(message: OutgoingMessage, listener: AckListener, token: number): void;
  /** QoS 0. The caller has seen `isWritable`. */
  publishUnacked(message: OutgoingMessage): void;
}

export interface ConnectionEvents {
  up(session: Session): void;
  /** Acks came or the socket drained: more may be sent. */
  room(): void;
  message(message: IPublishPacket): void;
  /** Reason codes of the SUBACK, one per filter; ≥ 0x80 is a refusal. */
  subscribed(granted: readonly number[]): void;
  /** The connection ended without `close`. At most once; nothing follows it. */
  down(failure: SinkFailure): void;
}

/** Collected bytes that are written at once instead of at the end of the turn. */
const FLUSH_BYTES = 48 * 1024;
const CLOSE_TIMEOUT_MS = 1_000;

/** One attempt to reach a broker and the session that came of it; never reused. */
export class MqttConnection implements Publisher {
  #stage: "dialling" | "handshake" | "up" | "closing" | "closed" = "dialling";
  #session: Session = { version: 5, window: 1, packetBytesMax: PACKET_BYTES_MAX };
  #inFlight = new InFlight(1);
  #wasReady = false;
  #isCongested = false;
  #brokerHasRetain = true;
  #cancelTimeout: () => void;
  #closed: (() => void) | null = null;
  readonly #socket: Duplex;
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  readonly #keepalive: KeepaliveWatch;
  readonly #writer: PacketWriter;
  readonly #frames: PacketFrames;
  readonly #parser: ReturnType<typeof parser>;
  /** What the parser made of the bytes in hand: one packet at most. */
  readonly #parsed: Packet[] = [];

  /** Begins to dial at once. */
  constructor(
    options: ConnectionOptions,
    deps: { readonly dial: Dial; readonly clock: Clock },
    events: ConnectionEvents,
  ) {
    this.#options = options;
    this.#events = events;
    this.#clock = deps.clock;
    this.#writer = new PacketWriter(options.version);
    this.#frames = new PacketFrames(options.incomingBytes, (packet) => this.#framed(packet));
    this.#parser = parser({ protocolVersion: options.version });
    this.#parser.on("packet", (packet) => this.#parsed.push(packet));
    this.#parser.on("error", (error: unknown) => this.#malformed(String(error)));
    this.#keepalive = new KeepaliveWatch(deps.clock, {
      ping: () => this.#ping(),
      silent: () => this.#fail(unavailable("the broker fell silent", "check the network and the broker's load")),
    });
    this.#socket = deps.dial(options.target, () => this.#dialled());
    this.#cancelTimeout = deps.clock.after(options.connectTimeoutMs, () => this.#timedOut());
    this.#socket.on("data", (chunk: Buffer) => this.#data(chunk));
    this.#socket.on("drain", () => this.#drained());
    this.#socket.on("error", (error) => this.#fail(this.#failureOf(error)));
    this.#socket.on("end", () => this.#hungUp());
    this.#socket.on("close", () => this.#hungUp());
  }

  get session(): Session {
    return this.#session;
  }

  get isWritable(): boolean {
    return this.#stage === "up" && !this.#isCongested;
  }

  get freeSlots(): number {
    return this.isWritable ? this.#inFlight.freeSlots : 0;
  }

  get inFlightCount(): number {
    return this.#inFlight.count;
  }

  /** Was the socket, with its TLS, ever open? For `sink test`. */
  get wasReady(): boolean {
    return this.#wasReady;
  }

  publish(message: OutgoingMessage, listener: AckListener, token: number): void {
    this.#write(this.#publishPacket(message, 1, this.#inFlight.add(listener, token)));
  }

  publishUnacked(message: OutgoingMessage): void {
    this.#write(this.#publishPacket(message, 0, 0));
  }

  /** Answered by `subscribed`. Retained messages are asked for, and asked to be marked, so that they are seen. */
  subscribe(filter: string): void {
    const subscription = { topic: filter, qos: 1 as const };
    const subscriptions = [this.#options.version === 5 ? { ...subscription, rap: true } : subscription];
    this.#write({ cmd: "subscribe", messageId: this.#inFlight.takeId(), subscriptions });
  }

  /** Tell the broker that a message it sent is taken care of. */
  ackMessage(messageId: number): void {
    if (this.#stage === "up") this.#write({ cmd: "puback", messageId, ...this.#successCode });
  }

  /** Hand everything collected to the socket. Called once at the end of a turn. */
  flush(): void {
    if (this.#writer.bytes === 0 || this.#stage === "closed") return;
    if (!this.#socket.write(this.#writer.take())) this.#isCongested = true;
    this.#keepalive.sent();
  }

  /** Say DISCONNECT and end; the broker then forgets the will. Resolves when the socket is closed, within 1 s. */
  close(): Promise<void> {
    if (this.#stage === "closed") return Promise.resolve();
    if (this.#stage === "up") {
      this.#write({ cmd: "disconnect", ...this.#successCode });
      this.flush();
    }
    this.#stage = "closing";
    this.#keepalive.stop();
    this.#cancelTimeout();
    return new Promise((resolve) => {
      this.#closed = resolve;
      this.#cancelTimeout = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#end());
      this.#socket.end();
    });
  }

  /** End now; the broker publishes the will. `down` is called unless the connection is closing or closed. */
  abort(failure: SinkFailure): void {
    this.#fail(failure);
  }

  #dialled(): void {
    if (this.#stage !== "dialling") return;
    this.#stage = "handshake";
    this.#wasReady = true;
    this.#write(connectPacket(this.#options));
    this.flush();
  }

  /** Built in one piece: this runs for every record. */
  #publishPacket({ topic, payload, retain, id, correlation }: OutgoingMessage, qos: 0 | 1, messageId: number): Packet {
    const isRetained = retain && this.#brokerHasRetain;
    const properties = this.#options.version === 5 ? publishProperties(id, correlation) : undefined;
    const packet = { cmd: "publish", qos, dup: false, retain: isRetained, topic, payload, messageId, properties };
    return packet as Packet; // a Buffer as topic is taken, though not typed
  }

  #write(packet: Packet): void {
    if (this.#stage === "closed" || this.#stage === "closing") return;
    this.#writer.packet(packet);
    if (this.#writer.bytes >= FLUSH_BYTES) this.flush();
  }

  #data(chunk: Buffer): void {
    if (this.#stage === "closed") return;
    this.#keepalive.heard();
    const isWhole = this.#frames.push(chunk);
    if (!isWhole) this.#malformed(`a packet above ${this.#options.incomingBytes} bytes`);
    else if (this.#stage === "up") this.#events.room();
  }

  #framed(packet: Buffer): void {
    if (this.#stage === "closed" || this.#stage === "closing") return;
    if (this.#stage === "handshake" && this.#options.version === 5 && isConnack311(packet)) {
      // A broker without MQTT 5 answers in the shape of 3.1.1, which the parser for 5 would not understand.
      const code = packet[3] ?? 0;
      const failure = failureOfConnack311(code === 0 || code === 0x84 ? 1 : code, contextOf(this.#options));
      this.#fail(failure);
      return;
    }
    if (this.#stage === "up" && isPuback(packet)) {
      const { messageId, reasonCode } = readPuback(packet);
      if (messageId === 0) this.#malformed("a PUBACK without a packet id");
      else this.#inFlight.ack(messageId, reasonCode);
      return;
    }
    try {
      this.#parser.parse(packet);
    } catch (error) {
      this.#malformed(String(error)); // the parser throws on some malformed packets instead of emitting
    }
    // Outside the try: what our own code throws must not pass for the broker's fault.
    for (const parsed of this.#parsed.splice(0)) this.#received(parsed);
  }

  #received(packet: Packet): void {
    if (this.#stage === "closed") return; // the parser emitted an error and a packet
    if (this.#stage === "handshake") {
      if (packet.cmd === "connack") this.#connack(packet);
      else this.#malformed(`${packet.cmd} before CONNACK`);
      return;
    }
    switch (packet.cmd) {
      case "publish":
        if (packet.qos > 1) this.#malformed("a QoS 2 message nobody asked for");
        else this.#events.message(packet);
        return;
      case "suback":
        this.#events.subscribed(packet.granted.map(Number));
        return;
      case "pingresp":
        return;
      case "disconnect":
        this.#fail(failureOfDisconnect(packet.reasonCode ?? 0));
        return;
      default:
        this.#malformed(`an unexpected ${packet.cmd}`);
    }
  }

  #connack(packet: IConnackPacket): void {
    const agreed = agreementOf(packet, this.#options);
    if ("kind" in agreed) {
      this.#fail(agreed);
      return;
    }
    this.#session = agreed.session;
    this.#brokerHasRetain = agreed.hasRetain;
    this.#inFlight = new InFlight(agreed.session.window);
    this.#stage = "up";
    this.#cancelTimeout();
    this.#keepalive.start(agreed.keepaliveMs);
    this.#events.up(this.#session);
  }

  #ping(): void {
    this.#write({ cmd: "pingreq" });
    this.flush();
  }

  #drained(): void {
    this.#isCongested = false;
    if (this.#stage === "up") this.#events.room();
  }

  #timedOut(): void {
    const what = this.#stage === "dialling" ? "the connection did not open" : "the broker did not answer CONNECT";
    this.#fail(
      unavailable(`${what} within ${this.#options.connectTimeoutMs} ms`, "check the address and the firewall"),
    );
  }

  #malformed(what: string): void {
    this.#fail(unavailable(`the broker sent what is not MQTT: ${what}`, "check that the url's port is an MQTT port"));
  }

  #hungUp(): void {
    if (this.#stage === "handshake" && this.#options.version === 5) {
      const failure = unavailable("the broker hung up instead of answering CONNECT", "see the broker's log");
      this.#fail({ ...failure, kind: "silentClose" });
      return;
    }
    this.#fail({ ...unavailable("the broker closed the connection", "see the broker's log"), byBroker: true });
  }

  /** MQTT 3.1.1 has no reason codes. */
  get #successCode(): { reasonCode?: 0 } {
    return this.#options.version === 5 ? { reasonCode: 0 } : {};
  }

  #failureOf(error: unknown): SinkFailure {
    const failure = failureOfError(error, contextOf(this.#options));
    if (this.#stage === "handshake" && this.#options.version === 5 && failure.byBroker === true) {
      return { ...failure, kind: "silentClose" };
    }
    return failure;
  }

  #fail(failure: SinkFailure): void {
    const wasOpen = this.#stage !== "closing" && this.#stage !== "closed";
    this.#end();
    if (wasOpen) this.#events.down(failure);
  }

  #end(): void {
    if (this.#stage === "closed") return;
    this.#stage = "closed";
    this.#cancelTimeout();
    this.#keepalive.stop();
    this.#socket.destroy();
    this.#closed?.();
  }
}

function publishProperties(id: string | undefined, correlationData: Buffer | undefined): object | undefined {
  if (correlationData === undefined) return id === undefined ? undefined : { userProperties: { id } };
  return id === undefined ? { correlationData } : { correlationData, userProperties: { id } };
}
