/** A broker in memory that speaks mqtt-packet: it works, takes orders from the test, and remembers what it got. */
import type { Duplex } from "node:stream";
import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { Dial } from "../dial.js";
import { memoryPipe } from "./memory-pipe.js";

export interface FakeBrokerOptions {
  /** Answer to CONNECT: a packet without cmd, `hangUp`, or `silent`. Called per connection. */
  connack: (connect: IConnectPacket) => object | "hangUp" | "silent";
  /** Reason code of the PUBACK; null: none is sent (`ack` sends it later). */
  puback: (publish: IPublishPacket, session: number) => number | null | "hangUp";
  /** The socket fails with this code instead of opening; null: it opens. */
  dialError: () => NodeJS.ErrnoException | null;
}

export interface Got {
  readonly session: number;
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly messageId: number;
  readonly properties: IPublishPacket["properties"];
}

export class FakeBroker {
  readonly got: Got[] = [];
  readonly connects: IConnectPacket[] = [];
  readonly packets: Packet[] = [];
  /** Most QoS 1 messages that were ever unacked at once. */
  unackedMax = 0;
  session = 0;
  #end: Duplex | null = null;
  #unacked = new Set<number>();
  #version = 5;
  readonly #options: FakeBrokerOptions;

  constructor(options: Partial<FakeBrokerOptions> = {}) {
    this.#options = {
      connack: (connect) => (connect.protocolVersion === 5 ? { reasonCode: 0 } : { returnCode: 0 }),
      puback: () => 0,
      dialError: () => null,
      ...options,
    };
  }

  readonly dial: Dial = (_target, onReady) => {
    const [near, far] = memoryPipe();
    const error = this.#options.dialError();
    if (error !== null) setImmediate(() => near.destroy(error));
    else {
      this.#serve(far);
      setImmediate(onReady);
    }
    return near;
  };

  /** Data messages in the order they came, of one session or of all. */
  data(session?: number): Got[] {
    return this.got.filter((m) => m.topic.endsWith("/data") && (session === undefined || m.session === session));
  }

  ack(messageId: number, reasonCode = 0): void {
    this.#unacked.delete(messageId);
    this.send({ cmd: "puback", messageId, reasonCode });
  }

  send(packet: Packet): void {
    this.#end?.write(generate(packet, { protocolVersion: this.#version }));
  }

  sendRaw(bytes: Buffer): void {
    this.#end?.write(bytes);
  }

  hangUp(): void {
    this.#end?.destroy();
    this.#end = null;
  }

  #serve(end: Duplex): void {
    this.session += 1;
    this.#end = end;
    this.#unacked = new Set();
    const { session } = this;
    const incoming = parser({});
    incoming.on("packet", (packet) => this.#handle(packet, session));
    incoming.on("error", (error: unknown) => end.destroy(error instanceof Error ? error : new Error(String(error))));
    end.on("data", (chunk: Buffer) => incoming.parse(chunk));
    end.on("error", () => {});
    end.on("end", () => end.end());
  }

  #handle(packet: Packet, session: number): void {
    this.packets.push(packet);
    if (packet.cmd === "connect") this.#connect(packet);
    else if (packet.cmd === "publish") this.#publish(packet, session);
    else if (packet.cmd === "pingreq") this.send({ cmd: "pingresp" });
    else if (packet.cmd === "subscribe") {
      this.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
    }
  }

  #connect(packet: IConnectPacket): void {
    this.connects.push(packet);
    this.#version = packet.protocolVersion ?? 4;
    const answer = this.#options.connack(packet);
    if (answer === "hangUp") this.hangUp();
    else if (answer !== "silent") this.send({ cmd: "connack", sessionPresent: false, ...answer });
  }

  #publish(packet: IPublishPacket, session: number): void {
    const { topic, qos, retain, dup, properties, messageId = 0 } = packet;
    this.got.push({ session, topic, payload: packet.payload.toString(), qos, retain, dup, messageId, properties });
    if (qos === 0) return;
    this.#unacked.add(messageId);
    this.unackedMax = Math.max(this.unackedMax, this.#unacked.size);
    const code = this.#options.puback(packet, session);
    if (code === "hangUp") this.hangUp();
    else if (code !== null) this.ack(messageId, code);
  }
}
